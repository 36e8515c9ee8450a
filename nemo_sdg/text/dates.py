"""Dates and times of day, by language: `July 4, 1776`, `4 juillet 1776`, `1776-07-04`, `3:30 p.m.`.

read_date("4th of July, 1776")   ->  Date(year=1776, month=7, day=4)
read_date("4.7.1776", "de")      ->  Date(year=1776, month=7, day=4)
read_date("4/7/1776")            ->  None   (which of the two is the month is not known)
read_time("3:30 PM")             ->  (15, 30, 0)
"""

import functools
import re
from dataclasses import dataclass

from nemo_sdg.text.latex import fold
from nemo_sdg.text.numbers.cjk import read_cjk
from nemo_sdg.text.numbers.spelled import VOWEL_SIGNS, base_language, numbered

_MONTHS = {
    "en": "january february march april may june july august september october november december",
    "de": "januar|jänner februar märz april mai juni juli august september oktober november dezember",
    "fr": "janvier février mars avril mai juin juillet août|aout septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre|setiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart|mrt april mei juni juli augustus september oktober november december",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "no": "januar februar mars april mai juni juli august september oktober november desember",
    "pl": "stycznia|styczeń lutego|luty marca|marzec kwietnia|kwiecień maja|maj czerwca|czerwiec lipca|lipiec "
    "sierpnia|sierpień września|wrzesień października|październik listopada|listopad grudnia|grudzień",
    "ru": "января|январь февраля|февраль марта|март апреля|апрель мая|май июня|июнь июля|июль августа|август "
    "сентября|сентябрь октября|октябрь ноября|ноябрь декабря|декабрь",
    "uk": "січня|січень лютого|лютий березня|березень квітня|квітень травня|травень червня|червень липня|липень "
    "серпня|серпень вересня|вересень жовтня|жовтень листопада|листопад грудня|грудень",
    "tr": "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "id": "januari februari maret april mei juni juli agustus september oktober november desember",
    "cs": "ledna|leden února|únor března|březen dubna|duben května|květen června|červen července|červenec srpna|srpen "
    "září října|říjen listopadu|listopad prosince|prosinec",
    "sw": "januari februari machi aprili mei juni julai agosti septemba oktoba novemba desemba",
    "th": "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
    "hi": "जनवरी फ़रवरी|फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर|सितम्बर अक्टूबर नवंबर|नवम्बर दिसंबर|दिसम्बर",
    # as in Egypt and the Gulf, in the Levant, in Algeria and Tunisia, in Morocco
    "ar": "يناير|جانفي فبراير|شباط|فيفري مارس|آذار أبريل|ابريل|نيسان|أفريل مايو|أيار|ماي يونيو|حزيران|جوان "
    "يوليو|تموز|جويلية|يوليوز أغسطس|آب|أوت|غشت سبتمبر|أيلول|شتنبر أكتوبر نوفمبر|نونبر ديسمبر|دجنبر",
}
_DAYS = "|".join(
    (
        "(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend",
        "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo",
        "luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]|sabato|domenica|(?:segunda|terça|quarta|quinta|sexta)-feira",
        "maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|måndag|tisdag|onsdag|torsdag|fredag|lördag|söndag",
        "mandag|tirsdag|lørdag|søndag|poniedziałek|wtorek|środ[aę]|czwartek|piątek|sobot[aę]|niedziel[aę]",
        "pondělí|úterý|středa|čtvrtek|pátek|neděle|понедельник|вторник|сред[ау]|четверг|пятниц[ау]|суббот[ау]|воскресенье",
        "понеділок|вівторок|середа|четвер|п['’ʼ]ятниця|субота|неділя|pazartesi|salı|çarşamba|perşembe|cuma|cumartesi|pazar",
        "senin|selasa|rabu|kamis|jumat|sabtu|minggu|thứ (?:hai|ba|tư|năm|sáu|bảy)|chủ nhật",
        "(?:ال)?(?:اثنين|ثلاثاء|أربعاء|خميس|جمعة|سبت|أحد)|(?:सोम|मंगल|बुध|गुरु|शुक्र|शनि|रवि)वार",
        "juma(?:tatu|nne|tano|mosi|pili)|alhamisi|ijumaa|วัน(?:จันทร์|อังคาร|พุธ|พฤหัสบดี|ศุกร์|เสาร์|อาทิตย์)",
    )
)
_WEEKDAYS = re.compile(
    rf"^(?:{_DAYS})(?:ที่)?[,،]?\s+|(?<!\s)\s+(?:{_DAYS})$|(?<!\s)\s*(?:星期[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일)$",
    re.IGNORECASE,
)
_ON = re.compile(
    r"^(?:on|am|le|el|il|em|no dia|op|den|d\.|dne|dnia|w dniu|ngày|pada|tanggal|pada tanggal|tarehe|дня"
    r"|(?:ใน)?วันที่)\s+(?=\d)",
    re.IGNORECASE,
)
_MONTH_FIRST = frozenset(("en-us",))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º|ª|°)?"
_YEAR = r"(?P<year>\d{3,4})(?:\s*(?P<era>b\.?c\.?(?:e\.?)?|a\.?d\.?|c\.?e\.?))?"
_MONTH = rf"(?P<month>[^\W\d_](?:[^\W\d_]|[{VOWEL_SIGNS}])*)[.॰]?"
_OF = r"(?:\s+of|\s+de|\s+del|\s+di|\s+d')?"
_WRITTEN = [
    re.compile(
        rf"(?:the\s+|le\s+|el\s+|den\s+|der\s+|am\s+)?{_DAY}{_OF}[\s-]+{_MONTH}(?:,?{_OF}[\s-]*{_YEAR})?", re.IGNORECASE
    ),
    re.compile(rf"{_MONTH}\s+(?:the\s+)?{_DAY}(?:\s*,?\s+{_YEAR})?", re.IGNORECASE),
    re.compile(rf"{_MONTH},?{_OF}\s+{_YEAR}", re.IGNORECASE),
    re.compile(rf"(?P<year>\d{{3,4}})[\s,-]+{_MONTH}[\s-]+{_DAY}", re.IGNORECASE),
]
_ISO = re.compile(r"(\d{4})(?:[-/.]|\.\s)(\d{1,2})(?:[-/.]|\.\s)(\d{1,2})(?:T00:00(?::00)?Z?)?")
_ISO_MONTH = re.compile(r"(1\d{3}|20\d{2})-(0[1-9]|1[0-2])")
_CJK = re.compile(r"(?:(\d{1,4})\s*[年년]\s*)?(\d{1,2})\s*[月월]\s*(?:(\d{1,2})\s*[日号일])?")
_CJK_NUMERAL = re.compile("[〇零一二三四五六七八九十]+(?=[年月日号])")
_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
"""The year before an era of Japan began"""
_ERA = re.compile(rf"({'|'.join(_ERAS)})\s*(元|\d{{1,2}})(?=\s*年)")
_VIETNAMESE = re.compile(
    r"(?:ngày\s+)?(\d{1,2})\s+(?:tháng|thg)\s+(\d{1,2})(?:(?:,?\s+năm\s+|,\s*|\s+)(\d{4}))?", re.IGNORECASE
)
_VIETNAMESE_OF = re.compile(r"tháng\s+(\d{1,2})(?:,?\s+năm\s+|,\s*|\s+|/)(\d{4})", re.IGNORECASE)
_VIETNAMESE_MONTHS = numbered("một|giêng hai ba tư|bốn năm sáu bảy tám chín mười mười_một mười_hai|chạp", 1)
_VIETNAMESE_MONTH = re.compile(
    rf"(?<=tháng )(?:{'|'.join(sorted(_VIETNAMESE_MONTHS, key=len, reverse=True)).replace('_', ' ')})"
    r"(?=$|,|\s+(?:năm\s+)?\d)",
    re.IGNORECASE,
)
_TWO_WORDS = {"كانون الثاني": "يناير", "تشرين الأول": "أكتوبر", "تشرين الثاني": "نوفمبر", "كانون الأول": "ديسمبر"}
"""months of the Levant that are two words"""
_SHORT_IN_THAI = "ม.ค ก.พ มี.ค เม.ย พ.ค มิ.ย ก.ค ส.ค ก.ย ต.ค พ.ย ธ.ค"
_THAI_SHORT = dict(zip(_SHORT_IN_THAI.split(), _MONTHS["th"].split(), strict=True))
_IN_ONE_WORD = re.compile("|".join([*_TWO_WORDS, *(rf"(?<!\w){re.escape(name)}\.?(?!\w)" for name in _THAI_SHORT)]))
_THAI_YEAR = re.compile(r"(?:([คพ])\.ศ\.?\s*|(?<=[ก-๛])\s+(?=2[3-9]))(\d{4})$")
"""Years in Thai are of the Buddhist era, which is 543 years longer, unless they say ค.ศ.: 2567 is 2024"""
_MONTH_OF = re.compile(r"(0[1-9]|1[0-2])[/.](1\d{3}|20\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4})")
_TIME = re.compile(
    r"(\d{1,2})(?:[:.h]\s?(\d{2})(?::(\d{2}))?)?\s*(a\.?\s?m\.?|p\.?\s?m\.?|uhr|o'?clock|h|hrs|noon|midnight)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Date:
    """A date; what it does not name is 0. Years before our era are negative."""

    year: int = 0
    month: int = 0
    day: int = 0


@functools.cache
def _months(language: str) -> dict[str, int]:
    table: dict[str, int] = {}
    for tongue in dict.fromkeys(("en", base_language(language))):
        for number, spellings in enumerate(_MONTHS.get(tongue, "").split(), 1):
            for word in spellings.split("|"):
                table[word] = number
                if len(word) > 3 and tongue in ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no"):
                    table.setdefault(word[:3], number)
    return table | {"sept": 9}


@functools.lru_cache(maxsize=1 << 14)
def read_date(text: str, language: str = "en") -> Date | None:
    """The date that a whole text is: at least a month with a day or a year; None for anything else."""
    text = re.sub("[\u200e\u200f\u061c]", "", text)
    text = _ON.sub("", _WEEKDAYS.sub("", fold(text).strip().rstrip(".").strip()))
    text = re.sub(r"\s+(?:года|год|г|року|р|r|roku)$", "", text).strip()
    if not 4 <= len(text) <= 40 or not (any(char.isdigit() for char in text) or _CJK_NUMERAL.search(text)):
        return None
    text = _IN_ONE_WORD.sub(_one_word, text)
    if "ก" <= max(text) <= "๛":
        text = _THAI_YEAR.sub(lambda found: f" {int(found[2]) - 543 * (found[1] != 'ค')}", text)
    if "月" in text or "年" in text:
        text = _in_western_years(_CJK_NUMERAL.sub(_in_digits, text))
    text = _VIETNAMESE_MONTH.sub(lambda found: str(_VIETNAMESE_MONTHS[found[0].casefold().replace(" ", "_")]), text)
    if (month_of := _VIETNAMESE_OF.fullmatch(text)) is not None:
        return _checked(int(month_of[2]), int(month_of[1]), 0)
    if (viet := _VIETNAMESE.fullmatch(text)) is not None:
        return _checked(int(viet[3] or 0), int(viet[2]), int(viet[1]))
    if (in_year := _MONTH_OF.fullmatch(text)) is not None:
        return _checked(int(in_year[2]), int(in_year[1]), 0)
    if (in_month := _ISO_MONTH.fullmatch(text)) is not None:
        return _checked(int(in_month[1]), int(in_month[2]), 0)
    if (iso := _ISO.fullmatch(text)) is not None:
        return _checked(int(iso[1]), int(iso[2]), int(iso[3]))
    if (cjk := _CJK.fullmatch(text)) is not None and (cjk[1] or cjk[3]):
        return _checked(int(cjk[1] or 0), int(cjk[2]), int(cjk[3] or 0))
    if (plain := _NUMERIC.fullmatch(text)) is not None:
        first, second, year = int(plain[1]), int(plain[3]), int(plain[4])
        if first > 12 or first == second or base_language(language) != "en":
            return _checked(year, second, first)
        return _checked(year, first, second) if second > 12 or language.casefold() in _MONTH_FIRST else None
    for pattern in _WRITTEN:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        groups = found.groupdict()
        month = _month(groups["month"].casefold(), language)
        if month is not None:
            year = int(groups.get("year") or 0)
            before = (groups.get("era") or "").casefold().startswith("b")
            return _checked(-year if before else year, month, int(groups.get("day") or 0))
    return None


def _one_word(found: re.Match[str]) -> str:
    return _TWO_WORDS.get(found[0]) or _THAI_SHORT[found[0].rstrip(".")]


def _in_digits(found: re.Match[str]) -> str:
    read = read_cjk(found[0], 0)
    return found[0] if read is None else str(read[0])


def _in_western_years(text: str) -> str:
    """昭和20年 as 1945年."""
    return _ERA.sub(lambda found: str(_ERAS[found[1]] + (1 if found[2] == "元" else int(found[2]))), text)


def _month(word: str, language: str) -> int | None:
    """The month of a word, or of the beginning of one word alone: févr., нояб., Eki."""
    table = _months(language)
    if word in table or len(word) < 2:
        return table.get(word)
    begun = {number for name, number in table.items() if name.startswith(word)}
    return begun.pop() if len(begun) == 1 and (len(word) > 2 or not word.isascii()) else None


def weekday(text: str) -> str | None:
    """The day of the week that is named beside a date."""
    found = _WEEKDAYS.search(fold(text).strip().rstrip("."))
    return None if found is None else found[0].strip(" ,،").removesuffix("ที่").casefold()


_DAY_NAME = re.compile(
    r"(?:星期|周|週|礼拜|禮拜)([一二三四五六日天])|([月火水木金土日])曜日?|([월화수목금토일])(?:요일)?"
    r"|(?:วัน)?(จันทร์|อังคาร|พุธ|พฤหัส|ศุกร์|เสาร์|อาทิตย์)(?:บดี)?|(?:ال)?([اأإ]ثنين|ثلاثاء|[اأ]ربعاء|خميس|جمعة|سبت|[اأ]حد)"
    r"|(segunda|terça|quarta|quinta|sexta)(?:-feira)?|(сред|пятниц|суббот)[ау]|(środ|sobot|niedziel)[aę]"
)


def _day_or_month(text: str) -> str | None:
    """What two names of one day of the week, or of one month, have in common: 周一 and 星期一, ม.ค. and มกราคม."""
    if (day := _DAY_NAME.fullmatch(text)) is not None:
        return re.sub("[أإ]", "ا", next(filter(None, day.groups()))).replace("天", "日")
    return _IN_ONE_WORD.sub(_one_word, text) if _IN_ONE_WORD.fullmatch(text) else None


def is_short_for(short: str, name: str, language: str) -> bool:
    """Whether a text is a shorter form of the name of a month or a day of the week: Wed., Wednesday."""
    whole, name = short.strip().casefold(), name.strip().casefold()
    begun, named = whole.rstrip("."), _day_or_month(whole)
    if named is not None and named in (name, _day_or_month(name)):
        return True
    if begun in _months(language) or re.fullmatch(_DAYS, begun):
        return name in _months(language) and _months(language).get(begun) == _months(language)[name]
    if not (3 <= len(begun) < len(name) or (len(begun) == 2 and short.strip().endswith("."))) or len(begun) > 5:
        return False
    return name.startswith(begun) and (name in _months(language) or re.fullmatch(_DAYS, name) is not None)


def _checked(year: int, month: int, day: int) -> Date | None:
    return Date(year, month, day) if 1 <= month <= 12 and 0 <= day <= 31 else None


@functools.lru_cache(maxsize=1 << 12)
def read_time(text: str) -> tuple[int, int, int] | None:
    """Hour, minute and second of a time of day; None where a text is none. `3:30` alone is read as written."""
    text = fold(text).strip()
    text = re.sub(r"^at\s+", "", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=\d)\s*uhr\s*(?=\d\d$)", ":", text, flags=re.IGNORECASE)
    if text.casefold() in ("noon", "midnight"):
        return (12, 0, 0) if text.casefold() == "noon" else (0, 0, 0)
    if (clock := _CJK_TIME.fullmatch(text)) is not None:
        return _cjk_time(clock)
    if (spoken := _SPOKEN.fullmatch(text)) is not None:
        return _spoken_time(spoken)
    found = _TIME.fullmatch(text)
    if found is None or (found[2] is None and found[4] is None):
        return None
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    half = re.sub(r"[.\s]", "", (found[4] or "").casefold())
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half == "pm")
    return (hour, minute, second) if hour <= 24 and minute < 60 and second < 60 else None


_HOURS = {
    word: hour
    for hour, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
}
_SPOKEN = re.compile(
    rf"(?:(?P<part>half|quarter|ten|five|twenty)\s+(?P<side>past|to|after)\s+(?P<of>{'|'.join(_HOURS)}|\d{{1,2}})"
    rf"|(?P<hour>{'|'.join(_HOURS)})\s+o'?clock)",
    re.IGNORECASE,
)


_CJK_TIME = re.compile(
    r"(?P<half>午前|午後|上午|下午|凌晨|早上|晚上|오전|오후)?\s*(?P<hour>\d{1,2}|二?十[一二三四五六七八九]?|[一二两兩三四五六七八九])\s*[時时点點시]"
    r"(?:(?P<middle>半)|(?P<quarter>[一三])刻|\s*(?P<minute>\d{1,2}|[二三四五]?十[一二三四五六七八九]?|[零〇]?[一二三四五六七八九])\s*[分분])?"
)


def _cjk_time(clock: re.Match[str]) -> tuple[int, int, int] | None:
    """午後3時30分, 下午三点半, 오전 9시"""
    said = [read_cjk(part, 0) if part and not part.isdigit() else None for part in (clock["hour"], clock["minute"])]
    hour, minute = (
        int(part or 0) if read is None else int(read[0])
        for part, read in zip((clock["hour"], clock["minute"]), said, strict=True)
    )
    minute = 30 if clock["middle"] else {"一": 15, "三": 45}.get(clock["quarter"], minute)
    if clock["half"] in ("午後", "下午", "晚上", "오후") and hour < 12:
        hour += 12
    return (hour, minute, 0) if hour <= 24 and minute < 60 else None


def _spoken_time(spoken: re.Match[str]) -> tuple[int, int, int]:
    """half past seven, quarter to three, six o'clock"""
    if spoken["hour"]:
        return _HOURS[spoken["hour"].casefold()], 0, 0
    hour = _HOURS.get(spoken["of"].casefold()) or int(spoken["of"])
    minutes = {"half": 30, "quarter": 15, "ten": 10, "five": 5, "twenty": 20}[spoken["part"].casefold()]
    return (hour, minutes, 0) if spoken["side"].casefold() != "to" else (hour - 1 or 12, 60 - minutes, 0)
