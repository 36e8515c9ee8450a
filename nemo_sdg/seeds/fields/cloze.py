"""Contexts that differ in one place: a question with a blank, and its options."""


def cloze(contexts: list[str]) -> tuple[str, list[str]]:
    """Contexts as choices: what they share is the question with a blank, what differs are the options.

    >>> cloze(["It rains, right? Yes, it is wet.", "It rains, right? No, it is wet."])
    ('It rains, right? _, it is wet.', ['Yes', 'No'])
    """
    if len(set(contexts)) < 2:
        return "", contexts
    start = len(_common_prefix(contexts))
    while start and not (contexts[0][start - 1].isspace() or contexts[0][start - 1] in "\"'«„“(¿¡"):
        start -= 1
    tails = [context[start:][::-1] for context in contexts]
    end = len(_common_prefix(tails))
    while end and (tails[0][end - 1].isalnum() or any(len(tail) <= end for tail in tails)):
        end -= 1
    options = [context[start : len(context) - end] for context in contexts]
    return f"{contexts[0][:start]}_{contexts[0][len(contexts[0]) - end :]}", options


def _common_prefix(texts: list[str]) -> str:
    low, high = min(texts), max(texts)
    return next((low[:index] for index, char in enumerate(low) if char != high[index]), low)
