"""Cleans a model's thinking for training: no talk of its user, prompt and format, and in the language of its sample.

    clean_trace("The user wants two sections. 3 shirts and 5 trousers: 3 · 5 = 15.", "en", 4000)
        -> "3 shirts and 5 trousers: 3 · 5 = 15."

The result is None for a trace that is mostly talk about the prompt, in another language, a loop, or too long. No trace
is cut, since half a thought teaches nothing.
"""

import re

from nemo_sdg.curate.filters.wording.languages import identify_language, prose

FEWEST_WORDS = 8
FEWEST_LETTERS = 24
LEAST_CONFIDENCE = 0.6
MOST_PROMPT_TALK = 0.5
"""share of sentences about the prompt from which a trace is not taken as thinking about the question"""
MOST_REPEATED = 0.4
"""share of sentences that were there before, from which a trace is a loop"""
PROMPT_TALK = re.compile(
    r"\b(?:the|this|my) (?:user|prompt|instructions?|system (?:message|prompt)|developer|assistant|guidelines?)\b|"
    r"\buser'?s?\b(?= (?:wants?|asks?|asked|said|says|request|query|message|prompt))|\bas an ai\b|"
    r"\blanguage model\b|\bpolicy\b.{0,40}\ballow|\b(?:output|response|answer|reply) format\b|"
    r"\b(?:required|requested|specified|exact) (?:format|sections?|headings?|structure)\b|"
    r"\b(?:sections?|headings?)\b.{0,60}\b(?:context|reasoning|answer)\b|"
    r"\b(?:context|reasoning|answer|plan|review) (?:section|heading)\b|##+ ?\w|\bjson\b|\bmarkdown\b|"
    r"\blatex\b.{0,30}\b(?:use|format|between|dollar)|\b(?:use|write|format).{0,30}\blatex\b|"
    r"\b\d+ ?(?:-|–|to|and) ?\d+ words\b|\bword (?:count|limit)\b|"
    r"\b(?:count|counting) (?:the )?words\b|\bunanswerable\b|"
    r"\b(?:i|we) (?:should|must|need to|have to|shall|will|can|am to|are to) (?:now )?(?:not )?(?:write|"
    r"output|produce|format|draft|mention|refer|copy|craft|compose|start writing|give the final|provide)\b|"
    r"\blet(?:'s| me| us) (?:now )?(?:write|draft|craft|compose|format|produce|output)\b|"
    r"\bby (?:its|their) (?:words|letters?|place)\b|\bnever by a letter\b|"
    r"\bwithout (?:stating|giving away|revealing) the answer\b|"
    r"\bder (?:nutzer|benutzer|user|prompt)\b|\bel usuario\b|\bl['’]utilisateur\b|\bl['’]utente\b|"
    r"\bo usuário\b|\bde gebruiker\b|\bпользовател\w+|用户|使用者|提示词|ユーザー|사용자|المستخدم",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?](?!\s|$)[^.!?。！？\n]*)*[.!?。！？]*[\"'”)\]]*")
SPECIAL = re.compile(r"<\|?/?[a-z_:]{2,24}\|?>|\[/?THINK\]|◁/?think▷", re.IGNORECASE)
BYTES_PER_TOKEN = 3.5
"""of English with a vocabulary of 100,000 and more; bytes, so that other scripts count for what they are"""


def clean_trace(trace: str, language: str, max_tokens: int) -> str | None:
    """A trace that can be trained on, or None. `max_tokens` is estimated from the text's length in bytes."""
    text = SPECIAL.sub("", trace).strip()
    if len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN > max_tokens:
        return None
    kept, num_talk, num_repeated, seen = [], 0, 0, set[str]()
    for paragraph in re.split(r"\n\s*\n", text):
        lines = []
        for line in paragraph.split("\n"):
            sentences = []
            for found in SENTENCE.finditer(line):
                sentence = found[0]
                if PROMPT_TALK.search(sentence):
                    num_talk += 1
                    continue
                key = " ".join(sentence.casefold().split())
                num_repeated += key in seen and len(key) > 20
                seen.add(key)
                sentences.append(sentence)
            joined = "".join(sentences).strip()
            if joined:
                lines.append(line[: len(line) - len(line.lstrip())] + joined)
        if lines:
            kept.append("\n".join(lines))
    num = num_talk + sum(len(SENTENCE.findall(paragraph)) for paragraph in kept)
    cleaned = "\n\n".join(kept)
    if not num or num_talk / num > MOST_PROMPT_TALK or num_repeated / num > MOST_REPEATED:
        return None
    if len(re.findall(r"\w+", cleaned)) < FEWEST_WORDS or not is_written_in(cleaned, language):
        return None
    return cleaned


def is_written_in(text: str, language: str) -> bool:
    """Whether fastText finds a text to be in a language, or is not sure that it is in another one."""
    words = prose(text)
    if len(words) < FEWEST_LETTERS:
        return True
    found, confidence = identify_language(words)
    return found == language.partition("-")[0] or confidence < LEAST_CONFIDENCE
