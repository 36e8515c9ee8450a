"""Recognises replies in which a model declines to answer, in the first person and in many languages."""

import re

REFUSAL = re.compile(
    r"\A\W*(?:(?:i'?m|i am) (?:so |very |really )?(?:sorry|afraid)|sorry,|i apologi[sz]e|my apologies|"
    r"unfortunately,? i|"
    r"(?:i|we) (?:can(?:no|')?t|can not|could not|couldn't|won'?t|will not|do not|don't|am not able|"
    r"am unable|must decline|have to decline|"
    r"decline)\b|i'?m (?:not able|unable|not comfortable|not going)|as an (?:ai|assistant|language)|"
    r"as a (?:large )?language|"
    r"(?:es )?tut mir leid|ich kann (?:diese|das|dabei|ihnen|dir|leider|nicht)|leider kann ich|"
    r"lo siento|no puedo|lamento|je suis désolé|désolé|je ne peux|mi dispiace|non posso|desculpe|"
    r"sinto muito|não posso|"
    r"het spijt me|ik kan (?:niet|dit|helaas)|извините|к сожалению|я не могу|przykro mi|nie mogę|jag kan inte|tyvärr|"
    r"üzgünüm|maaf|saya tidak (?:bisa|dapat)|xin lỗi|tôi không thể|samahani|siwezi|آسف|عذر|لا أستطيع|"
    r"لا يمكنني|متاسف|क्षमा|माफ|मैं नहीं|দুঃখিত|"
    r"抱歉|对不起|很抱歉|我无法|我不能|無法|申し訳|すみません|お答えでき|죄송|답변할 수 없)",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Whether a text begins with a refusal. Only the beginning of a text counts."""
    return bool(REFUSAL.match(text.strip()[:200].replace("’", "'")))
