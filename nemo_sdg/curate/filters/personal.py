"""Filter of personal data. Values reserved for documentation and fiction are fine, and so are those asked about."""

import ipaddress
import re

from nemo_sdg.curate.filters.identity import has_identity_number
from nemo_sdg.curate.filters.view import Finding, View
from nemo_sdg.records import Kind
from nemo_sdg.text.normalize import has_any

EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@((?:[a-zA-Z0-9-]{1,63}\.)+[a-zA-Z]{2,24})(?![\w-])")
RESERVED_DOMAIN = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net)|test|example|invalid|localhost)$")
ROLE = re.compile(
    r"(?:info|contact|support|help|admin|office|sales|press|hello|no-?reply|service|webmaster|postmaster|abuse|team|"
    r"jobs|billing|security|root|user(?:name)?|name|foo|alice|bob|booking|reservations?|orders?|hr|careers?|editor|"
    r"library|museum|hotel|events?|tickets?|news(?:letter)?|feedback|enquir(?:y|ies)|inquiries|customer(?:care|service)?|"
    r"kontakt|buchung|bestellung|contacto|contato|contatti|biblioth[eè]que|reservas?|accueil|secretariat|sekretariat)\d?",
    re.IGNORECASE,
)
"""Local parts that name an office or a made-up user, and no person."""
PHONE = re.compile(
    r"(?<![\w.+*/=^-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){2,4}|(?:\(\d{3}\) ?|"
    r"\d{3}[.-])\d{3}[.-]\d{4})(?![\w*/=^-]|\.\d)"
)
FICTIONAL_PHONE = re.compile(
    r"555\d*$"  # 555-0142, and the North American exchange 555
    r"|^\d*555\d{4}$"
    r"|^(?:44|0)7700900\d{3}$|^(?:44|0)1632960\d{3}$|^(?:44|0)20794601?\d{2,3}$"  # Ofcom's numbers for drama
    r"|^(?:33|0)19900\d{4}$|^(?:33|0)63998\d{4}$"  # Arcep's
    r"|^(?:61|0)[2378]5550\d{4}$|^(?:61|0)491570\d{3}$"  # ACMA's
    r"|^(?:49|0)3023125\d{3}$"  # Bundesnetzagentur's
)
SOCIAL_SECURITY = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
CARD = re.compile(
    r"(?<![\w.-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-]|\.\d)|(?<![\w.-])3[47]\d{2}([ -]?)\d{6}\2\d{5}(?![\w-]|\.\d)"
)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
NAMED_PHONE = re.compile(
    r"(?:\b(?:phone|tel|telephone|mobile|cell|call|fax|whatsapp|handy|telefon\w*|téléphone|portable|teléfono|móvil|celular|"
    r"telefone|telemóvel|telefono|cellulare|telefoon|komórka|mobil)\b|тел|моб|هاتف|جوال|फ़ोन|फोन|मोबाइल|电话|手机|電話|携帯|전화|"
    r"휴대폰|điện thoại|telepon|τηλ|puhelin|טלפון)[^\d\n]{0,25}(\+?\(?\d[\d ().-]{7,18}\d)(?![\w%]|[.,]\d)",
    re.IGNORECASE,
)
SECRET = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,}|ghp_[A-Za-z0-9]{30,}|AKIA[A-Z0-9]{16}|xox[bp]-[A-Za-z0-9-]{20,}|AIza[A-Za-z0-9_-]{30,})\b"
)
SECRET_MARKS = ("sk-", "ghp_", "AKIA", "xox", "AIza")
CHINESE_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")
LONG_DIGITS = re.compile(r"[\dA-Z](?:(?<=\d)[\d .-]{6}|(?<=[A-Z])[A-Z]{5}\d)")
"""Without one of these a text holds no number of an identity card"""
DIGITS = re.compile(r"\d.{0,3}\d")
LONG_NUMBER = re.compile(r"\d[\d ().A-Z-]{5,}\d")
"""Without one of these a text holds neither a telephone number nor an account, a card or an address"""
VERSION = re.compile(r"version|release|versión|версия|バージョン|版本", re.IGNORECASE)

HOME = re.compile(
    r"(?<![\w.])\d{1,5}[a-z]? (?:[A-Z][\w'’.-]+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Drive|Dr|Court|Ct|"
    r"Row|Way|Terrace|Square|Crescent|Gardens|Boulevard|Blvd|Grove|Mews|Hill)\b"
    r"|\b\d{1,5} [A-Z][\w'’-]+(?:'s)? Row\b"
    r"|\b[A-ZÄÖÜ][\wäöüß-]+(?:straße|strasse|str\.|weg|gasse|platz|allee|straat|laan|gracht|plein|vägen|gatan|katu|gade|gata)"
    r" \d{1,4}[a-z]?\b"
    r"|\b\d{1,4},? (?:bis |ter )?(?:rue|avenue|boulevard|chemin|impasse|allée) "
    r"|\b(?:[Cc]alle|[Aa]venida|[Pp]aseo|[Vv]ia|[Vv]iale|[Rr]ua|[Tt]ravessa|ul\.|ulica|ulicy|ул\.|улиц\w|вул\.|вулиц\w|"
    r"Jalan|Jl\.|đường|Cad\.|Sok\.) [^\d.,;\n]{2,40}[, ]+(?:n\.?º? ?|no\.? ?|nr\.? ?|д\. ?|буд\. ?|số ?)?\d{1,4}"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"  # a post code of the United Kingdom
    r"|(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,}(?:路|街|大道|巷)\d+[号號]|(?<!\d)\d+(?:丁目\d+|番地)"
)
"""A street with its number; with a number or an address to reach somebody at it is a person's"""
REACHED = re.compile(
    r"\b(?:phone|tel|telephone|mobile|cell|call|handy|telefon\w*|téléphone|tél|portable|teléfono|móvil|telefone|"
    r"telemóvel|cellulare|telefoon|komórka|mobil)\b\W{0,4}[^\d\n]{0,20}\+?\(?\d[\d ()./-]{5,}\d"
    r"|(?:тел|моб|هاتف|جوال|फ़ोन|फोन|मोबाइल|电话|手机|電話|携帯|전화|휴대폰|điện thoại|telepon|τηλ|puhelin)[^\d\n]{0,20}"
    r"\+?\(?\d[\d ()./-]{5,}\d",
    re.IGNORECASE,
)

BORN = re.compile(
    r"\b(?:born|date of birth|d\.?o\.?b\.?|geb\.|geboren|née? le|nacid[oa] el|nat[oa] il|nascid[oa] em|geboren op|"
    r"ur\.|nar\.|"
    r"född|født|doğum|lahir|sinh)\W{0,3}(?:\w+ ){0,2}\d{1,2}[./-] ?\d{1,2}[./-] ?(?:19|20)\d\d"
    r"|(?:д\.? ?р\.|родил\w+|народ\w+|生年月日|出生|생년월일)\W{0,3}(?:19|20)?\d\d\D",
    re.IGNORECASE,
)
"""A full date of birth"""
SAMPLES = frozenset(
    # cards for tests, IBANs of the registry of ISO 13616 and of its readers, social security numbers of specimens
    re.findall(
        r"\S+",
        "4111111111111111 4242424242424242 4012888888881881 5555555555554444 5105105105105100 "
        "2223003122003222 378282246310005 371449635398431 6011111111111117 6011000990139424 3056930009020004 "
        "DE89370400440532013000 GB29NWBK60161331926819 GB82WEST12345698765432 FR1420041010050500013M02606 "
        "ES9121000418450200051332 IT60X0542811101000000123456 NL91ABNA0417164300 BE68539007547034 "
        "CH9300762011623852957 AT611904300234573201 PL61109010140000071219812874 PT50000201231234567890154 "
        "SE4550000000058398257466 DK5000400440116243 NO9386011117947 FI2112345600000785 "
        "IE29AIBK93115212345678 CZ6508000000192000145399 078-05-1120 219-09-9999 457-55-5462 123-45-6789 "
        "111-22-3333",
    )
)
"""Values printed so often as specimens that they are nobody's"""
TOLL_FREE = re.compile(r"^(?:1?8(?:00|33|44|55|66|77|88)\d{7}|0?800\d{6,7}|(?:44|49|33|34|39)800\d{6,7})$")
"""Lines of companies, where the caller pays nothing"""

FORM = r"\b(?:valid\w*|formats?|regex\w*|regular expression|check ?(?:sum|digit)\w*|masks?|pars\w+|syntax|digits)\b"
MADE_UP = (
    r"\b(?:made[- ]up|fake|fictitious|fictional|invented|placeholders?|reserved|rfc ?\d+|phish\w*|suspicious|spoof\w*|"
    r"erfunden\w*|ausgedacht\w*|fiktiv\w*|gültig\w*|reserviert\w*|inventad[oa]s?|fictici[oa]s?|válid[oa]s?|reservad[oa]s?|"
    r"fictive?s?|inventée?s?|valides?|réservée?s?|inventat[oi]|fittizi[oa]?|valid[oi]|riservat[oi])\b|вымышл|выдуман|"
    r"допустим|корректн|зарезерв|虚构|虛構|有效|保留|架空|有効|予約|가상|유효|예약"
)
SUBJECTS = {
    "e-mail address": (
        r"e-?mails?\b|courriel|correo|address|adress|почт|邮|郵|メール|메일|البريد|ईमेल|"
        r"(?:after|before|following|preceding) (?:the )?@",
        rf"(?:after|before|following|preceding) (?:the )?@|\bdomain|\blocal part|{FORM}|{MADE_UP}",
    ),
    "telephone number": (r"phone|number", rf"numbers? (?:have|has|of) the form|how many|\bproduct\b|{FORM}"),
    "social security number": (r"social security|\bssn\b", FORM),
    "card number": (r"card|luhn|number", rf"luhn|{FORM}"),
    "account number": (r"iban|account", rf"\biban\b|{FORM}"),
    "access key": (r"key|token", FORM),
    "identity number": (r"number|code|\bid\b|\bcpf\b|\bdni\b|pesel|身份证|주민", rf"check|{FORM}"),
    "home address": (r"address", FORM),
    "IP address": (
        r"\bip|address|network|dns|server|\b8\.8\.8\.8",
        rf"\bip|\bdns\b|subnet|netmask|network|router|ping\b|{FORM}",
    ),
}
"""What a question names, and says of it, that asks about the form of such data rather than whose they are"""


def _is_subject(view: View, found: str) -> bool:
    names, form = SUBJECTS[found]
    return all(re.search(pattern, view.question, re.IGNORECASE) for pattern in (names, form))


def personal_data(view: View) -> Finding | None:
    """E-mail, telephone, card, account and social security numbers, public IP addresses.

    Tests and programs are not searched: data in them is made up for the purpose. Nor is a value searched for whose form
    the question asks about (what follows the @, whether a card number passes the Luhn test).
    """
    names = (
        ("question", "context", "reasoning")
        if view.kind == Kind.code
        else ("question", "passage", "choices", "answer", "context", "reasoning")
    )
    for name, text in view.texts(*names):
        found = _personal(text)
        if (
            name == "choices"
            and found
            and len(view.choices) > 2
            and all(len(re.sub(r"\D", "", choice)) > 6 for choice in view.choices)
        ):
            continue  # numbers to choose from are made up
        if found and not _is_subject(view, found) and not _is_test_value(view, found):
            return "personal_data", f"{found} in {name}"
    return None


def _is_test_value(view: View, found: str) -> bool:
    """Whether a program is asked for and the value is what it works on."""
    return view.kind == Kind.code and found == "IP address"


def _personal(text: str) -> str | None:
    if "@" in text and any(_is_person(match.group(1), match.group(2).lower()) for match in EMAIL.finditer(text)):
        return "e-mail address"
    if not DIGITS.search(text):
        return None
    if has_any(text, SECRET_MARKS) and SECRET.search(text):
        return "access key"
    if LONG_DIGITS.search(text) and has_identity_number(text):
        return "identity number"
    long_number = LONG_NUMBER.search(text) is not None
    if (
        (long_number or "@" in text)
        and (home := HOME.search(text)) is not None
        and ("@" in text or REACHED.search(text) or BORN.search(text) or _telephone_near(text, home))
    ):
        return "home address"
    if not long_number:
        return None
    named = [re.sub(r"\D", "", match.group(1)) for match in NAMED_PHONE.finditer(text)]
    if any(not _made_up(digits) for digits in named) or (not text.isascii() and CHINESE_MOBILE.search(text)):
        return "telephone number"
    if any(not _made_up(re.sub(r"\D", "", match.group())) for match in PHONE.finditer(text)):
        return "telephone number"
    if any(match.group() not in SAMPLES for match in SOCIAL_SECURITY.finditer(text)):
        return "social security number"
    cards = {re.sub(r"\D", "", match.group()) for match in CARD.finditer(text)} - SAMPLES
    if any(map(_luhn, cards)):
        return "card number"
    accounts = {match.group().replace(" ", "") for match in IBAN.finditer(text)} - SAMPLES
    if any(map(_iban, accounts)):
        return "account number"
    if any(_public_address(match.group()) for match in ADDRESS.finditer(text)) and not VERSION.search(text):
        return "IP address"
    return None


NEAR = 80


def _telephone_near(text: str, home: re.Match[str]) -> bool:
    """Whether a telephone number, be it made up, stands within NEAR characters of a street."""
    return any(
        match.end() > home.start() - NEAR and match.start() < home.end() + NEAR for match in PHONE.finditer(text)
    )


def _is_person(local: str, domain: str) -> bool:
    return not RESERVED_DOMAIN.search(domain) and not ROLE.fullmatch(local)


def _made_up(digits: str) -> bool:
    """A number kept free for fiction, or one that counts up, counts down or repeats a digit."""
    return bool(
        FICTIONAL_PHONE.search(digits)
        or TOLL_FREE.search(digits)
        or len(set(digits)) <= 2
        or digits in "012345678901234567890"
        or digits in "098765432109876543210"
    )


def _luhn(digits: str) -> bool:
    total = sum(
        sum(divmod(2 * int(digit), 10)) if place % 2 else int(digit) for place, digit in enumerate(reversed(digits))
    )
    return total % 10 == 0 and len(set(digits)) > 1


def _iban(text: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def _public_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False
