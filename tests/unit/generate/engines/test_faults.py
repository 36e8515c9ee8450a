"""The meaning of servers' errors: by their text, not only by their status."""

import json

import pytest

from nemo_sdg.generate.engines.error_bodies import read_error
from nemo_sdg.generate.engines.faults import Meaning, meaning, what_to_change
from nemo_sdg.generate.engines.room import free_tokens
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


KNOWN = [
    # rate limits that speak of billing are rate limits
    (429, "Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_1` service tier `on_demand` on "
     "tokens per minute (TPM): Limit 12000, Used 11800, Requested 1190. Please try again in 4.95s. Need more tokens? "
     "Upgrade to Dev Tier today at https://console.groq.com/settings/billing", Meaning.busy),
    (429, "Rate limit reached for gpt-4o-mini in organization org-1 on requests per min. Limit: 3 / min. Please try "
     "again in 20s. You can increase your rate limit by adding a payment method to your account at "
     "https://platform.openai.com/account/billing.", Meaning.busy),
    (429, "You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: "
     "generate_content_free_tier_requests, limit: 15 Please retry in 37.2s.", Meaning.busy),
    (429, "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded "
     "token rate limit of your current OpenAI S0 pricing tier. Please retry after 11 seconds. For Free Account "
     "customers, upgrade to Pay as you Go here: https://aka.ms/429TrialUpgrade.", Meaning.busy),
    (429, "You have reached the rate limit specific to this model. The maximum rate limit for this model is 6.0 "
     "queries per minute.", Meaning.busy),
    (429, "Service tier capacity exceeded for this model.", Meaning.busy),
    (429, "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
     Meaning.busy),
    (429, "No deployments available for selected model, Try again in 5 seconds. Passed model=x.", Meaning.busy),
    (202, "", Meaning.server),
    # spent accounts
    (429, "You exceeded your current quota, please check your plan and billing details. For more information on this "
     "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.", Meaning.configuration),
    (429, "litellm.RateLimitError: RateLimitError: OpenAIException - You exceeded your current quota, please check "
     "your plan and billing details.", Meaning.configuration),
    (412, "Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past "
     "invoices. Please go to https://fireworks.ai/account/billing for more information.", Meaning.configuration),
    (400, "Budget has been exceeded! Current cost: 10.1, Max budget: 10.0", Meaning.configuration),
    (402, "You have exceeded your monthly included credits for Inference Providers.", Meaning.configuration),
    # keys, models and forms that this server does not take
    (400, "API key not valid. Please pass a valid API key.", Meaning.configuration),
    (404, "The API deployment for this resource does not exist. If you created the deployment within the last 5 "
     "minutes, please wait a moment and try again.", Meaning.configuration),
    (400, "Unable to access model x/y. Please visit https://api.together.ai/models to view the list of supported "
     "models.", Meaning.configuration),
    (404, "Model not found, inaccessible, and/or not deployed", Meaning.configuration),
    (404, 'model "x" not found, try pulling it first', Meaning.configuration),
    (400, "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is "
     "supported.", Meaning.configuration),
    (400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
     Meaning.configuration),
    (400, "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
     Meaning.configuration),
    (400, "deepseek-reasoner does not support successive user or assistant messages (messages[1] and messages[2] in "
     "your input). You should interleave the user/assistant messages in the message sequence.", Meaning.configuration),
    (400, "User location is not supported for the API use.", Meaning.configuration),
    # one request
    (403, 'openai/gpt-4o requires moderation on OpenAI. Your input was flagged for "violence". No credits were '
     "charged.", Meaning.never),
    (400, "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
     Meaning.unclear),
    # servers that are in trouble
    (500, "EngineCore encountered an issue. See stack trace (above) for the root cause.", Meaning.server),
    (503, "The request queue is full.", Meaning.busy),
    (503, "The server is overloaded or not ready yet.", Meaning.busy),
    (503, "Model x is currently loading", Meaning.busy),
    (521, "<html>Web server is down</html>", Meaning.server),
    (408, "litellm.Timeout: APITimeoutError - Request timed out.", Meaning.timeout),
]  # fmt: skip


@pytest.mark.parametrize(("status", "said", "expected"), KNOWN, ids=[f"{row[0]}-{row[1][:40]}" for row in KNOWN])
@pytest.mark.parametrize("answered", [True, False])
def test_what_providers_say(status, said, expected, answered):
    assert sort(status, {"error": {"message": said}}, answered=answered) is expected


@pytest.mark.parametrize(
    ("said", "room"),
    [
        # no more than so many tokens in a reply, whatever the context
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]", 8192),
        ("max_tokens is too large: 24576. This model supports at most 16384 completion tokens, whereas you provided "
         "24576.", 16384),
        ("max_tokens: 24576 > 8192, which is the maximum allowed number of output tokens for claude-3-5-sonnet", 8192),
        ("`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the "
         "`context_window` for this model", 8192),
        ("Unable to submit request because it has a maxOutputTokens value of 24576 but the supported range is from 1 "
         "(inclusive) to 8193 (exclusive). Update the value and try again.", 8192),
        ("The maximum tokens you requested exceeds the model limit of 8192. Try again with a maximum tokens value that "
         "is lower than 8192.", 8191),
        # prompt and reply together
        ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 26000. Given: 3000 `inputs` tokens and "
         "24576 `max_new_tokens`", 23000),
        ("This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens. Please "
         "reduce the length of the input messages. None", -904),
        ("Decoder prompt (length 5000) is longer than the maximum model length of 4096.", -904),
        ("The input (5012 tokens) is longer than the model's context length (4096 tokens).", -916),
        ("Input length (5012 tokens) exceeds the maximum allowed length (4090 tokens). Use a shorter input or enable "
         "--allow-auto-truncate.", -922),
        ("The sum of prompt length (5012.0), query length (0) should not exceed max_num_tokens (4096)", -916),
        ("The prompt is too long: 140000, model maximum context length: 131071", 131071 - 140000),
        ("litellm.ContextWindowExceededError: AnthropicException - prompt is too long: 210000 tokens > 200000 maximum",
         -10000),
        ("Input is too long for requested model.", None),
    ],
)  # fmt: skip
def test_room_for_a_reply_in_the_words_of_providers(said, room):
    assert sort(400, {"error": {"message": said}}) is Meaning.context
    assert free_tokens(said, 24576) == room


def test_a_field_that_a_model_does_not_take_is_named_with_its_way_out():
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    body = {"error": {"message": said, "param": "max_tokens", "code": "unsupported_parameter"}}
    error = read_error(400, json.dumps(body).encode())
    assert meaning(error, answered=True) is Meaning.configuration
    assert what_to_change(error, "m") == (
        "give the limit under its other name with engine.extra_body={max_tokens: null, max_completion_tokens: 16384}"
    )
