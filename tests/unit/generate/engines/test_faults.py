"""What servers' errors mean: by what they say, not by their status alone."""

import json

import pytest

from nemo_sdg.generate.engines.faults import Meaning, free_tokens, meaning, read_error
from tests.fakes.server_dialects import SERVERS, context_error


def sort(status, body, *, answered=True):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return meaning(read_error(status, data), answered=answered)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # this account or configuration cannot
        (402, {"error": {"message": "Insufficient Balance"}}, Meaning.configuration),
        (401, {"error": "Unauthorized"}, Meaning.configuration),
        (403, {"error": {"message": "Forbidden"}}, Meaning.configuration),
        (
            429,
            {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota"}},
            Meaning.configuration,
        ),
        (400, {"error": {"message": "Your credit balance is too low"}}, Meaning.configuration),
        (400, {"error": {"message": "litellm.BadRequestError: Invalid model name passed in"}}, Meaning.configuration),
        (404, {"error": {"message": "The model `x` does not exist."}}, Meaning.configuration),
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "no"}]}, Meaning.configuration),
        (400, {"error": {"message": "This response_format type is unavailable now"}}, Meaning.configuration),
        # this server cannot now
        (400, {"error": {"message": "litellm.APIConnectionError: upstream connect error"}}, Meaning.server),
        (400, {"error": {"message": "litellm.InternalServerError: OpenAIException - 503"}}, Meaning.server),
        (400, {"error": {"message": "Provider returned error 502 Bad Gateway"}}, Meaning.server),
        (400, {"error": {"message": "The model is currently overloaded, try again later"}}, Meaning.busy),
        (400, {"error": {"message": "litellm.RateLimitError: too many requests"}}, Meaning.busy),
        (429, {"error": {"message": "rate"}}, Meaning.busy),
        (429, b"", Meaning.busy),
        (503, {"error": "loading model"}, Meaning.busy),
        (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, Meaning.busy),
        (504, b"<html>Gateway Time-out</html>", Meaning.timeout),
        (500, {"error": {"message": "boom"}}, Meaning.server),
        (424, {"error": "upstream"}, Meaning.server),
        (404, b"404 page not found", Meaning.server),
        (307, b"", Meaning.server),
        # this request can never succeed
        (413, {"error": "payload too large"}, Meaning.never),
        (403, {"error": {"message": "Your input was flagged by moderation", "code": 403}}, Meaning.never),
        (400, {"error": {"message": "The response was filtered by the content management policy"}}, Meaning.never),
        (400, {"error": {"message": "Content Exists Risk"}}, Meaning.never),
        # asked again before it is believed
        (400, {"error": {"message": "Bad Request"}}, Meaning.unclear),
        (500, {"error": {"message": "Failed to compile grammar"}}, Meaning.unclear),
        # too long for the context
        (400, {"object": "error", "message": "default_max_tokens (-52) must be greater than 0"}, Meaning.context),
    ],
)
def test_errors_are_sorted_by_what_they_say(status, body, expected):
    assert sort(status, body) is expected


def test_an_address_that_never_answered_is_wrong():
    assert sort(404, b"404 page not found", answered=False) is Meaning.configuration
    assert sort(307, b"", answered=False) is Meaning.configuration


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_says_how_much_room_is_left(server):
    said = context_error(server, 4096, 2128, 3072)
    assert sort(400, {"error": {"message": said}}) is Meaning.context
    assert free_tokens(said, 3072) == 4096 - 2128


def test_a_prompt_longer_than_the_context_leaves_less_than_nothing():
    assert free_tokens(context_error("vllm-old", 4096, 5000, 3072), 3072) == 4096 - 5000


def test_numbers_that_do_not_say_it_are_none():
    assert free_tokens("default_max_tokens (-52) must be greater than 0", 3072) is None
    assert free_tokens("maximum context length is 4096 tokens", 3072) is None


def test_long_bodies_become_one_short_line():
    error = read_error(502, b"<html>\n" + b"x " * 100_000)
    assert "\n" not in error.message
    assert len(error.message) <= 300
