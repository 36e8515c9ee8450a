"""Answers that a text speaks of and does not give: `the likeliest wrong answer is …`, `the proposed answer is …`,
`the heading Answer: …`.
"""

import re

_OTHERS = (
    r"wrong|incorrect|false|mistaken|erroneous|misleading|tempting|attractive|proposed|suggested|offered|claimed|naive|"
    r"intuitive|rejected|opposite|alternative|other|another|competing|rival|falsche|verkehrte|verlockende|naheliegende|"
    r"vorgeschlagene|andere|fausse|mauvaise|autre|otra|outra|altra|verkeerde|foute|voorgestelde|felaktiga|föreslagna|"
    r"forkerte|gale|foreslåede|foreslåtte|väärä|ehdotettu|niewłaściwa|błędna|proponowana|chybná|nesprávná|navržená|"
    r"неправильный|неверный|ошибочный|ложный|предложенный|неправильна|хибна|запропонована|грешният|предложеният|"
    r"λανθασμένη|προτεινόμενη|yanlış|önerilen|गलत|ग़लत|प्रस्तावित|错误的?|錯誤的?|提出的|另一个|誤った|間違った|提案された|"
    r"common|frequent|typical|usual|hasty|careless|popular|häufige|übliche|typische|voreilige|fréquente|courante|habituelle|"
    r"hâtive|común|frecuente|habitual|comum|frequente|comune|veelgegeven|gangbare|vanlig|vanliga|almindelige|częsta|"
    r"typowa|частый|распространённый|типичный|поспешный|поширена|yaygın|sık verilen|常见的?|常見的?|よくある|"
    r"heading|headline|label|word|title|caption|überschrift|wort|titre|mot|título|palabra|palavra|titolo|parola|"
    r"заголовок|слово|标题|单词|見出し|"
    r"ありがちな|흔한|쉬운|흔히 하는|"
    r"提示された|틀린|잘못된|제안된|제시된|[가-힣0-9]+라는"
)
_BEFORE = re.compile(rf"(?<![a-zà-ÿα-ωа-я])(?:{_OTHERS})[\s\"“”*_]*$", re.IGNORECASE)
_LONGEST = 24
"""characters before `answer` that are looked at"""


def is_of_another(text: str, place: int) -> bool:
    """Whether the word `answer` at `place` of the text is another one than the writer's own, by the word before it."""
    return _BEFORE.search(text[max(0, place - _LONGEST) : place]) is not None
