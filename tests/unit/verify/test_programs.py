from nemo_sdg.verify import programs as code


def test_calls_are_taken_out_of_tests_without_the_results_that_they_expect() -> None:
    tests = [
        "assert f(1) == 2",
        "assert 3 == f(2)",
        "assert not g(1)",
        "assert g(2), 'told'",
        "assert f(1) == 2",
        "f(",
        "f(9)",
        "assert 1 == 1",
    ]
    assert code.calls_of(tests) == ["f(1)", "f(2)", "g(1)", "g(2)"]
    assert len(code.calls_of([f"assert f({number}) == 0" for number in range(50)])) == code.MAX_CALLS
