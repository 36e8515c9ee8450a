"""Filter of answers of another kind than the one asked for: a bare number for a person or a place."""

import re

from nemo_sdg.curate.filters.view import Finding, View, excerpt, sentences
from nemo_sdg.records import Kind

PERSON_OR_PLACE = {
    "en": r"(?:who|whom|whose|where|in (?:which|what) (?:city|town|country|place|state|village)|which (?:city|country|"
    r"town|person|writer|author|composer|scientist|artist|painter))\b",
    "de": r"(?:wer|wen|wem|wessen|wo|woher|wohin|in welche[rmn] (?:stadt|land|ort)|"
    r"welche(?:s land| stadt|r (?:autor|künstler|komponist|forscher)))\b",
    "fr": r"(?:qui|où|dans (?:quelle ville|quel pays)|quelle ville|quel pays|quel (?:auteur|peintre|compositeur))\b",
    "es": r"(?:quién|quiénes|dónde|adónde|en qué (?:ciudad|país|lugar)|qué (?:ciudad|país|escritor\w*|pintor\w*))\b",
    "it": r"(?:chi|dove|dov|in (?:quale|che) (?:città|paese|luogo)|quale (?:città|paese|scrittore|pittore))\b",
    "pt": r"(?:quem|onde|aonde|em (?:que|qual) (?:cidade|país|lugar)|qual (?:cidade|país))\b",
    "nl": r"(?:wie|waar|in welk(?:e stad| land)|welk(?:e stad| land|e schrijver|e schilder))\b",
    "pl": r"(?:kto|kogo|komu|gdzie|skąd|w (?:którym|jakim) (?:mieście|kraju|państwie))\b",
    "cs": r"(?:kdo|koho|komu|kde|odkud|ve? (?:kterém|jakém) (?:městě|státě))\b",
    "ru": r"(?:кто|кого|кому|где|откуда|куда|в как(?:ом городе|ой стране))\b",
    "uk": r"(?:хто|кого|кому|де|звідки|куди|в як(?:ому місті|ій країні))\b",
    "tr": r"(?:[^?]*\b(?:kim|kimdir|kime|nerede|nereden|nerededir|hangi (?:şehirde|ülkede|kentte))\b)",
    "ar": r"(?:من هو|من هي|من الذي|أين|في أي (?:مدينة|بلد|دولة))",
    "hi": r"(?:[^?]*(?:किसने|कौन (?:है|हैं|था|थे|थी)|कहाँ|कहां|किस (?:शहर|देश)))",
    "id": r"(?:[^?]*\b(?:siapa|siapakah|di mana|di (?:kota|negara) mana)\b)",
    "vi": r"(?:ai\b|[^?]*(?:là ai|ở đâu|do ai|(?:thành phố|nước) nào))",
    "sw": r"(?:nani\b|[^?]*\b(?:ni nani|na nani|wapi)\b)",
    "sv": r"(?:vem|var|varifrån|i vilk(?:en stad|et land))\b",
    "da": r"(?:hvem|hvor(?! (?:mange|meget|lang|stor|gammel|høj|ofte))|i hvilken by|i hvilket land)\b",
    "zh": r"[^？?]*(?:谁|哪里|哪儿|哪座城市|哪个城市|哪个国家|何处|何人)",
    "ja": r"[^？?]*(?:誰|だれ|どこ|どの(?:都市|国))",
    "ko": r"[^？?]*(?:누구|누가|어디|어느 (?:도시|나라))",
}
"""How a question begins that asks for a person or a place"""
NUMBER_TOO = re.compile(
    r"how (?:many|much|old|long)|when|year|number|combien|quand|année|"
    r"wann|wie ?viel|jahr|nummer|cuánt|cuándo|año|quant|"
    r"quando|anno|\bano\b|numéro|número|numero|hoeveel|wanneer|jaar|\bile\b|\bilu\b|kiedy|\brok|kolik|\bkdy|сколько|"
    r"когда|\bгод|номер|скільки|коли|\bрік|kaç|zaman|yıl|كم|متى|कितन|कब|berapa|kapan|tahun|bao nhiêu|năm nào|khi nào|"
    r"ngapi|lini|mwaka|多少|几|年|いくつ|いつ|号|番|몇|언제|번호|hur många|när|hvor mange|hvornår",
    re.IGNORECASE,
)
"""Of questions that ask for a number as well"""
NUMBER = re.compile(r"[^\w]*\d[\d.,\s]*[^\w]*")
WITH_NUMBERS = re.compile(r"[\d=+<>$\\^_{}]|(?<![^\W\d_])[a-zA-Z](?![^\W\d_'’])(?!\s?\.)")


def answer_of_another_kind(view: View) -> Finding | None:
    """A bare number where a person or a place is asked for. Questions with numbers, letters or formulas in them, as of
    a place on a line, and those with a passage are not judged.
    """
    if view.kind != Kind.short_text or view.passage or not NUMBER.fullmatch(view.answer):
        return None
    pattern = PERSON_OR_PLACE.get(view.language)
    last = (sentences(view.question) or [""])[-1].lstrip(' ¿¡"“«„「').lower()
    if NUMBER_TOO.search(last):
        return None
    if pattern is None or WITH_NUMBERS.search(WORDS_OF_ONE_LETTER.sub(" ", last)) or not re.match(pattern, last):
        return None
    return "answer_of_another_kind", excerpt(f"{last} {view.answer}")


WORDS_OF_ONE_LETTER = re.compile(r"(?<!\w)(?:a|o|e|i|y|u|w|z|k|s|v|à|è|é)(?=\s)|['’]\w*|\w['’]")
