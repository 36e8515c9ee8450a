"""The languages of a leaf: those of its dataset in families.yaml, narrowed by the config name or the task name."""

import re

_CODES = {
    "afr": "af", "amh": "am", "ara": "ar", "arb": "ar", "aze": "az", "azj": "az", "bam": "bm", "bel": "be",
    "ben": "bn", "bul": "bg", "cat": "ca", "ces": "cs", "chn": "zh",
    "cmn": "zh", "cym": "cy", "dan": "da", "deu": "de", "ell": "el", "eng": "en", "est": "et", "eus": "eu",
    "ewe": "ee", "fas": "fa", "fin": "fi", "fra": "fr",
    "fre": "fr", "ful": "ff", "ger": "de", "gle": "ga", "glg": "gl", "guj": "gu", "hau": "ha", "heb": "he",
    "hin": "hi", "hrv": "hr", "hun": "hu", "hye": "hy",
    "ibo": "ig", "ind": "id", "isl": "is", "ita": "it", "jap": "ja", "jpn": "ja", "kan": "kn", "kat": "ka",
    "kaz": "kk", "khm": "km", "kin": "rw", "kir": "ky",
    "kor": "ko", "lao": "lo", "lin": "ln", "lit": "lt", "lug": "lg", "lvs": "lv", "mal": "ml", "mar": "mr",
    "mkd": "mk", "mlt": "mt", "mya": "my", "nld": "nl",
    "nno": "nn", "nob": "nb", "npi": "ne", "nya": "ny", "orm": "om", "gaz": "om", "ory": "or", "pan": "pa",
    "pes": "fa", "pol": "pl", "por": "pt", "ron": "ro", "run": "rn",
    "rus": "ru", "sin": "si", "slk": "sk", "slv": "sl", "sna": "sn", "som": "so", "sot": "st", "spa": "es",
    "sqi": "sq", "srp": "sr", "ssw": "ss", "swa": "sw", "swe": "sv",
    "swh": "sw", "tam": "ta", "tel": "te", "tgk": "tg", "tgl": "tl", "tha": "th", "tir": "ti", "tsn": "tn",
    "tso": "ts", "tur": "tr", "twi": "tw", "uig": "ug", "ukr": "uk",
    "urd": "ur", "uzn": "uz", "vie": "vi", "wol": "wo", "xho": "xh", "yor": "yo", "zho": "zh", "zsm": "ms",
    "zul": "zu", "jp": "ja", "cn": "zh",
}  # fmt: skip
_NAMES = {
    "arabic": "ar", "basque": "eu", "bengali": "bn", "catalan": "ca", "chinese": "zh", "english": "en",
    "farsi": "fa", "finnish": "fi", "french": "fr", "galician": "gl",
    "german": "de", "greek": "el", "hindi": "hi", "indonesian": "id", "italian": "it", "japanese": "ja",
    "korean": "ko", "portuguese": "pt", "russian": "ru",
    "spanish": "es", "swahili": "sw", "telugu": "te", "thai": "th", "turkish": "tr", "ukrainian": "uk",
    "vietnamese": "vi", "dutch": "nl", "polish": "pl",
    "swedish": "sv", "amharic": "am", "hausa": "ha", "igbo": "ig", "yoruba": "yo", "zulu": "zu", "somali": "so",
    "tigrinya": "ti", "kirundi": "rn", "oromo": "om",
    "albanian": "sq", "armenian": "hy", "azerbaijani": "az", "belarusian": "be", "bulgarian": "bg", "croatian": "hr",
    "estonian": "et", "georgian": "ka",
    "hebrew": "he", "hungarian": "hu", "kazakh": "kk", "lithuanian": "lt", "macedonian": "mk", "malay": "ms",
    "malayalam": "ml", "nepali": "ne", "persian": "fa",
    "serbian": "sr", "tagalog": "tl", "tamil": "ta", "urdu": "ur", "uzbek": "uz", "pidgin": "pcm",
}  # fmt: skip


_KNOWN = frozenset(_CODES.values()) | {
    "arq",
    "ary",
    "arz",
    "bbj",
    "bem",
    "ceb",
    "fon",
    "ht",
    "luo",
    "mg",
    "mos",
    "nso",
    "pcm",
    "qu",
    "vai",
}
_WITH_SCRIPT = re.compile(r"([a-z]{3})_[A-Z][a-z]{3}")
_LOCALE = re.compile(r"([A-Z]{2})_[A-Z]{2}")
_SCRIPTS = frozenset({"latn", "cyrl", "arab", "deva"})


def _code(token: str) -> str:
    return _CODES.get(token) or _NAMES.get(token) or token


def code_of(name: str) -> str | None:
    """The code of a language that is written as a name or as another code (`English`, `eng`); None if it is unknown."""
    lower = name.strip().lower()
    return _NAMES.get(lower) or _CODES.get(lower)


def languages_of(task: str, name: str | None, known: list[str]) -> list[str]:
    """ISO 639-1 codes, or 639-3 codes for languages that have none; [] if the languages are unknown.

    In a dataset of several languages (`juletxara/mgsm`) the config name (`de`, `fr-en`, `amh`), else the task name,
    selects one or two. If the table lists no languages, a config name is used only if it consists of languages
    (`de-en`, `swh_Latn`, `AR_XY`), ends in one (`xquad.de`) or spells one out (`toksuite_chinese_canonical`).
    """
    name = name or ""
    coded = _WITH_SCRIPT.fullmatch(name) or _LOCALE.fullmatch(name)
    if coded and len(known) != 1:
        return [_code(coded[1].lower())]
    if len(known) > 1 and name in _KNOWN:
        return [name]
    if len(known) == 1 or (not known and not name):
        return known
    tokens = re.split(r"[^a-z]+", name.lower())
    if known:
        for source in (tokens, re.split(r"[^a-z]+", task.lower())):
            found = [code for code in dict.fromkeys(map(_code, source)) if code in known]
            if found:
                return found
        return known
    codes = [_code(token) if _code(token) in _KNOWN else "" for token in tokens if token not in _SCRIPTS]
    if all(codes):
        return list(dict.fromkeys(codes))
    if "." in name and codes[-1]:
        return [codes[-1]]
    spelled = {_NAMES[token] for token in tokens if token in _NAMES}
    return sorted(spelled) if len(spelled) == 1 else []
