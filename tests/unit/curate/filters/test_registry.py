"""Every filter has samples that it must drop and samples that it must keep; all samples are written for the test."""

import copy
import sys

import pytest

from nemo_sdg.config import CurateSection
from nemo_sdg.curate.filters import registry as filters
from nemo_sdg.curate.filters.registry import BUILT_IN, OFF, apply_filters, filters_identity, load_filters
from nemo_sdg.errors import ConfigError, DataError

CHOICE = {
    "sample_id": "a1",
    "origin": "similar",
    "seed_ids": ["s1"],
    "task": "toy",
    "family": "science",
    "capability": "knowledge",
    "kind": "multiple_choice",
    "frame": "selection",
    "language": "en",
    "question": "Which gas do plants take in when they build sugar?",
    "passage": None,
    "choices": ["oxygen", "carbon dioxide", "helium"],
    "answer": {"text": "carbon dioxide", "label": "B", "aliases": []},
    "tests": None,
    "context": (
        "Leaves have small openings through which gases pass, and chlorophyll catches the light that drives "
        "photosynthesis."
    ),
    "reasoning": (
        "Plants build sugar from water and a gas of the air that holds carbon. Oxygen is what they give off. "
        "So the answer is carbon dioxide."
    ),
}
NUMERIC = CHOICE | {
    "kind": "numeric",
    "frame": "generation",
    "family": "math",
    "question": "A box holds 6 eggs. How many eggs are in 4 boxes?",
    "choices": None,
    "answer": {"text": "24", "label": None, "aliases": []},
    "context": "Equal groups are counted by multiplication: the number of groups times the size of one group.",
    "reasoning": "Each box has 6 eggs. For 4 boxes that makes 4 * 6 = 24 eggs.",
}
SHORT = NUMERIC | {
    "kind": "short_text",
    "family": "factual",
    "question": "Who wrote the play about the two lovers of Verona?",
    "answer": {"text": "William Shakespeare", "label": None, "aliases": ["Shakespeare"]},
    "context": "The tragedy was written in the 1590s for a company of actors in London.",
    "reasoning": "The lovers of Verona are Romeo and Juliet, a tragedy of the 1590s, and it is by Shakespeare.",
}
FREE = SHORT | {
    "kind": "free_text",
    "frame": "explanation",
    "question": "Why does bread dough rise?",
    "answer": {
        "text": "Yeast eats the sugar of the dough and gives off a gas that makes it grow.",
        "label": None,
        "aliases": [],
    },
    "reasoning": "Yeast is alive. It turns sugar into carbon dioxide, and the gas is held by the dough.",
}
CODE = NUMERIC | {
    "kind": "code",
    "family": "code",
    "question": "Write a function double(n) that returns twice the number n.",
    "answer": {"text": "def double(n):\n    return 2 * n\n", "label": None, "aliases": []},
    "tests": ["assert double(2) == 4", "assert double(0) == 0"],
    "context": "In Python the operator * multiplies two numbers.",
    "reasoning": (
        "Twice a number is the number times two, so the function multiplies its argument by 2 and returns the product."
    ),
}
GERMAN = CHOICE | {
    "language": "de",
    "question": "Welches Tier gibt den Menschen auf dem Bauernhof Milch?",
    "choices": ["die Kuh", "das Huhn", "die Biene"],
    "answer": {"text": "die Kuh", "label": "A", "aliases": []},
    "context": "Säugetiere ernähren ihre Jungen in der ersten Zeit mit Milch, Vögel und Insekten tun das nicht.",
    "reasoning": "Hühner legen Eier, und Bienen sammeln Nektar. Nur das Säugetier gibt Milch, also ist es die Kuh.",
}
SPANISH = NUMERIC | {
    "language": "es",
    "question": "Una caja tiene 6 huevos. ¿Cuántos huevos hay en 4 cajas? Todo cuesta lo mismo.",
    "context": "Los grupos iguales se cuentan con la multiplicación: número de grupos por tamaño del grupo.",
    "reasoning": "Cada caja tiene 6 huevos, así que en 4 cajas hay 4 * 6 = 24 huevos.",
}
CHINESE = NUMERIC | {
    "language": "zh",
    "question": "一个盒子里有6个鸡蛋。4个盒子里一共有多少个鸡蛋？",
    "context": "相等的几组东西可以用乘法来数：组数乘以每组的数量。",
    "reasoning": "每个盒子有6个鸡蛋，4个盒子就是4乘以6，一共24个。",
}
JAPANESE = CHOICE | {
    "language": "ja",
    "question": "部屋が暗くて本が読めないとき、何をつけますか？",
    "choices": ["電気", "扇風機", "テレビ"],
    "answer": {"text": "電気", "label": "A", "aliases": []},
    "context": "明かりがあれば、夜でも字を見ることができます。",
    "reasoning": "暗い部屋では明かりが必要です。したがって電気をつけます。",
}
LATEX = NUMERIC | {
    "question": "What is the value of $\\frac{3}{4} + \\left(\\frac{1}{2}\\right)^2$?",
    "answer": {"text": "1", "label": None, "aliases": []},
    "context": (
        "Fractions with the same denominator are added by adding their numerators, and \\$5 has nothing to do with it."
    ),
    "reasoning": (
        "We have\n\\begin{align*}\n\\frac{3}{4} + \\frac{1}{4} &= \\frac{4}{4} \\\\\n&= 1.\n\\end{align*}\nThe "
        "answer is $\\boxed{1}$."
    ),
}
ENTAILMENT = CHOICE | {
    "frame": "classification",
    "family": "logic",
    "passage": "Jim is taller than Kay. Kay is taller than Leo.",
    "question": "Leo is taller than Jim. True, false or unknown?",
    "choices": ["true", "false", "unknown"],
    "answer": {"text": "false", "label": "B", "aliases": []},
    "context": "A relation like taller-than carries over: from the first to the second to the third person.",
    "reasoning": "Jim is taller than Kay and she is taller than Leo, so Jim is taller than Leo. It cannot be true.",
}
HONEST = {
    "choice": CHOICE,
    "numeric": NUMERIC,
    "short": SHORT,
    "free": FREE,
    "code": CODE,
    "german": GERMAN,
    "spanish": SPANISH,
    "chinese": CHINESE,
    "japanese": JAPANESE,
    "latex": LATEX,
    "entailment": ENTAILMENT,
}


def changed(sample, **changes):
    sample = copy.deepcopy(sample)
    answer = changes.pop("answer", None)
    if answer is not None:
        sample["answer"] = answer if isinstance(answer, dict) else sample["answer"] | {"text": answer}
    return sample | changes


def verdict(name, sample, **thresholds):
    """One filter's reason, the others off."""
    settings = dict.fromkeys(BUILT_IN, False) | {name: thresholds}
    found = apply_filters(sample, CurateSection(filters=settings))
    return found and found[0]


@pytest.mark.parametrize("name", HONEST)
def test_honest_samples_pass_every_filter(name):
    assert apply_filters(HONEST[name], CurateSection()) is None


PROGRAM = "def f(text):\n    return text\n"
CASES = [
    ("schema", changed(CHOICE, question="  "), "missing_field"),
    ("schema", changed(CHOICE, answer={"text": "", "label": "B"}), "missing_field"),
    ("schema", CHOICE | {"answer": None}, "missing_field"),
    ("schema", changed(CHOICE, choices=["carbon dioxide"]), "missing_field"),
    ("schema", changed(CHOICE, kind="essay"), "missing_field"),
    ("schema", changed(CHOICE, reasoning=["a", "b"]), "missing_field"),
    ("schema", changed(CHOICE, choices=["oxygen", "carbon dioxide", "oxygen "]), "choices_not_distinct"),
    ("schema", changed(CHOICE, answer="nitrogen"), "answer_not_among_choices"),
    ("schema", changed(CHOICE, answer={"text": "carbon dioxide", "label": "A"}), "label_mismatch"),
    ("schema", changed(NUMERIC, answer="a dozen eggs"), "answer_not_numeric"),
    ("schema", changed(CHOICE, choices=["AA", "Aa", "aa"], answer={"text": "Aa", "label": "B"}), None),
    ("schema", changed(NUMERIC, answer="(-\\infty, x]"), None),
    ("schema", changed(NUMERIC, answer="-x"), None),
    ("schema", changed(NUMERIC, answer="$1,200.50"), None),
    ("schema", changed(SHORT, answer="a dozen"), None),
    ("length", changed(CHOICE, question="A"), "too_short"),
    ("length", changed(CHOICE, reasoning=" "), "too_short"),
    ("length", changed(FREE, reasoning="word " * 5000), "too_long"),
    ("length", changed(NUMERIC, answer="1" * 300), "too_long"),
    ("length", changed(CODE, answer="x = 1\n" * 300), None),
    ("length", changed(CHINESE, question="几岁？"), None),
    (
        "unit_missing",
        changed(SHORT, question="How long is the pool? Give the answer with its unit.", answer="50"),
        "answer_lacks_unit",
    ),
    (
        "unit_missing",
        changed(SHORT, question="How long is the pool? Give the answer with its unit.", answer="50 m"),
        None,
    ),
    (
        "wrong_quantity",
        changed(SHORT, question="A cube has edges of 2 cm. What is its volume?", answer="8 cm"),
        "answer_of_other_quantity",
    ),
    ("wrong_quantity", changed(SHORT, question="A cube has edges of 2 cm. What is its volume?", answer="8 ml"), None),
    (
        "word_salad",
        changed(SHORT, reasoning="Of because the between lamp the was into green, although the of seven is spoon."),
        "word_salad",
    ),
    (
        "word_salad",
        changed(SHORT, reasoning="The cells that it is made of are small, and the few between are not."),
        None,
    ),
    ("code_parses", changed(CODE, answer="def double(n)\n    return 2 * n"), "code_does_not_parse"),
    ("code_parses", changed(CODE, answer="Here is the code: double = 2"), "code_does_not_parse"),
    ("code_parses", changed(CODE, answer="x = 1\0"), "code_does_not_parse"),
    ("code_parses", changed(CODE, tests=["assert double(2) == 4", "assert double(("]), "code_does_not_parse"),
    ("code_parses", changed(CODE, answer="(" * 5000 + ")" * 5000), "code_does_not_parse"),
    ("code_parses", changed(CODE, answer="import re\n\ndef f(s):\n    return re.sub('\\d', '', s)\n"), None),
    ("code_parses", changed(FREE, answer="def is a word in Python that begins a function"), None),
    ("latex_balance", changed(LATEX, question="What is $\\frac{3}{4 + 1$?"), "latex_unbalanced"),
    ("latex_balance", changed(LATEX, question="What is $\\frac{3}{4} + 1?"), "latex_unbalanced"),
    ("latex_balance", changed(LATEX, reasoning="\\begin{align*} a &= \\frac{1}{2}"), "latex_unbalanced"),
    ("latex_balance", changed(LATEX, reasoning="\\begin{align} x \\end{aligned}"), "latex_unbalanced"),
    ("latex_balance", changed(LATEX, reasoning="Take $\\left( \\frac{1}{2} )$."), "latex_unbalanced"),
    ("latex_balance", changed(LATEX, reasoning="So \\( \\sqrt{2} and so on"), "latex_unbalanced"),
    ("latex_balance", changed(LATEX, reasoning="The price is $5, and $\\frac{1}{2}$ of it is 2.50."), None),
    (
        "latex_balance",
        changed(LATEX, reasoning="The set $\\{1, 2\\}$, the interval $[0, \\pi)$ and the matrix \\\\[2pt] row."),
        None,
    ),
    (
        "latex_balance",
        changed(NUMERIC, question="Ann has $5 and Bob has $7 and Cleo has $3. How many dollars are there?"),
        None,
    ),
    ("latex_balance", changed(CODE, question="Write a regex with \\frac{ and $ in it."), None),
    ("control_characters", changed(CHOICE, question="Which gas \x07 do plants take in?"), "control_characters"),
    ("control_characters", changed(CODE, answer="allowed = '\u202e} \u2066if admin'\n"), "control_characters"),
    ("control_characters", changed(CHOICE, choices=["\uf061-rays", "x", "y"]), "control_characters"),
    ("control_characters", changed(FREE, answer="text \U000e0041 hidden"), "control_characters"),
    ("control_characters", changed(FREE, answer="می‌خواهم \u200fשלום 👩‍🔬 क्‍ष\ttab\r\nline"), None),
    ("mojibake", changed(GERMAN, question="Wie heiÃŸt die Hauptstadt von Ã–sterreich?"), "mojibake"),
    ("mojibake", changed(CHOICE, question="What is the plantâ€™s gas?"), "mojibake"),
    ("mojibake", changed(CHOICE, question="What is the plant\ufffds gas?"), "mojibake"),
    (
        "mojibake",
        changed(FREE, answer="Größe, naïve, 25 °C, “quoted” – it’s π ≈ 3.14 × 10²; Ñandú; 日本語; Привет; ∑ᵢ xᵢ"),
        None,
    ),
    ("repetition", changed(FREE, reasoning="Yeast makes the dough rise. " * 12), "repetition"),
    ("repetition", changed(FREE, reasoning="the gas and " * 20), "repetition"),
    ("repetition", changed(FREE, context="Yeast is alive.\n" * 10), "repetition"),
    ("repetition", changed(CHINESE, reasoning="鸡蛋很好吃。" * 12), "repetition"),
    ("repetition", changed(FREE, reasoning="a" * 60), "repetition"),
    (
        "repetition",
        changed(
            NUMERIC,
            reasoning=(
                "4 * 6 = 24 eggs. 2 * 6 = 12 eggs. 3 * 6 = 18 eggs. Then 24 + 12 = 36 eggs and 36 + 18 = 54 "
                "eggs, and 54 - 4 = 50 eggs remain."
            ),
        ),
        None,
    ),
    (
        "language",
        changed(GERMAN, question="Which animal gives milk to the people on the farm?", choices=["cow", "hen", "bee"]),
        "language_mismatch",
    ),
    (
        "language",
        changed(GERMAN, reasoning="Hens lay eggs and bees collect nectar, so only the cow can be the right one."),
        "language_mismatch",
    ),
    (
        "language",
        changed(CHOICE, question="¿Cuál de estos animales puede volar por encima de las montañas?"),
        "language_mismatch",
    ),
    (
        "language",
        changed(CHINESE, reasoning="Each box has six eggs, and there are four boxes in all."),
        "language_mismatch",
    ),
    (
        "language",
        changed(JAPANESE, question="Which lamp do you switch on when the room is dark?", choices=["a", "b"]),
        "language_mismatch",
    ),
    ("language", changed(CHOICE, language="sw"), "language_mismatch"),
    ("language", changed(LATEX, question="$\\sin x$", reasoning="$x=1$"), None),
    ("language", changed(CHOICE, question="Roma?", choices=["sí", "no"]), None),
    ("language", changed(CHOICE, language="quy"), None),
    (
        "language",
        changed(
            CHOICE,
            question="In the Japanese sentence 「私は本を読みます」 which word is the verb that ends the sentence?",
        ),
        None,
    ),
    ("personal_data", changed(FREE, answer="Write to anna.schmidt@firma-web.de for more."), "personal_data"),
    ("personal_data", changed(FREE, answer="Call +49 170 123 45 67 at noon."), "personal_data"),
    ("personal_data", changed(FREE, answer="Call (212) 736-5000 at noon."), "personal_data"),
    ("personal_data", changed(FREE, answer="The card is 4539 5787 6362 1486."), "personal_data"),
    ("personal_data", changed(FREE, answer="IBAN DE44 5001 0517 5407 3249 31"), "personal_data"),
    ("personal_data", changed(FREE, answer="SSN 219-09-8734"), "personal_data"),
    ("personal_data", changed(FREE, answer="The server is 8.8.8.8 now."), "personal_data"),
    (
        "personal_data",
        changed(FREE, answer="Use me@example.com, 192.168.0.1, 127.0.0.1 or 555-0123; version 1.2.3.4000."),
        None,
    ),
    (
        "personal_data",
        changed(NUMERIC, question="What is 123 - 456 - 7890, and 4111111111111112 / 2, and 10.5.3?"),
        None,
    ),
    (
        "personal_data",
        changed(CODE, tests=["assert is_email('ankit@gmail.com')"], answer="def ip():\n    return '8.8.8.8'\n"),
        None,
    ),
    ("refusal", changed(FREE, answer="As an AI language model, I have no opinion on dough."), "refusal"),
    ("refusal", changed(FREE, reasoning="I'm sorry, but I can't help with that."), "refusal"),
    ("refusal", changed(GERMAN, reasoning="Als KI kann ich dazu nichts sagen."), "refusal"),
    ("refusal", changed(FREE, reasoning="作为一个人工智能，我不能回答。"), "refusal"),
    (
        "refusal",
        changed(ENTAILMENT, passage="I'm sorry, but I cannot come, said the captain. As an AI I refuse."),
        None,
    ),
    (
        "refusal",
        changed(FREE, question="What should you say when you are sorry but cannot come? Is AI a field of science?"),
        None,
    ),
    (
        "assistant_chatter",
        changed(FREE, question="Sure! Here is a new question: Why does dough rise?"),
        "assistant_chatter",
    ),
    ("assistant_chatter", changed(FREE, answer="It rises because of yeast. I hope this helps!"), "assistant_chatter"),
    ("assistant_chatter", changed(FREE, reasoning="Let me know if you need more."), "assistant_chatter"),
    (
        "assistant_chatter",
        changed(FREE, answer="Sure, the surface of a lake freezes first; of course ice floats."),
        None,
    ),
    ("prompt_leak", changed(CHOICE, question="<|im_start|>user Which gas?"), "prompt_leak"),
    ("prompt_leak", changed(CHOICE, question='{"question": "Which gas?", "choices": []}'), "prompt_leak"),
    ("prompt_leak", changed(CHOICE, question="Which gas?\nAnswer: oxygen"), "prompt_leak"),
    ("prompt_leak", changed(GERMAN, question="Frage: Welches Tier gibt Milch?"), "prompt_leak"),
    (
        "prompt_leak",
        changed(CHOICE, reasoning="Plants take in carbon dioxide.\n\nQuestion: What is iron?\nAnswer: a metal"),
        "prompt_leak",
    ),
    ("prompt_leak", changed(CHOICE, reasoning="The right answer is given, so I explain it."), "prompt_leak"),
    ("placeholder", changed(CHOICE, question="Which gas does {{ topic }} take in?"), "placeholder"),
    ("prompt_leak", changed(CHOICE, context="Similar to the example above, plants need air."), "prompt_leak"),
    ("prompt_leak", changed(CODE, answer='def f():\n    return {"question": ["a"], "x": "{{ value }}"}\n'), None),
    (
        "prompt_leak",
        changed(LATEX, question="What is $\\frac{{10^{2}}}{{10^{1}}}$, and what is $\\text{{J}}(a)$?"),
        None,
    ),
    (
        "prompt_leak",
        changed(FREE, question="The question is not whether dough rises: the answer depends on yeast. Why?"),
        None,
    ),
    ("placeholder", changed(FREE, question="Who is [insert name]?"), "placeholder"),
    ("placeholder", changed(FREE, reasoning="<your reasoning here>"), "placeholder"),
    ("placeholder", changed(FREE, reasoning="..."), "placeholder"),
    ("placeholder", changed(CHOICE, choices=["Option A", "Option B", "carbon dioxide"]), "placeholder"),
    ("placeholder", SPANISH, None),
    (
        "placeholder",
        changed(
            CHOICE,
            choices=["no answer", "1", "a string of pearls"],
            question="If x < y and y > z, what comes <b>next</b>?",
        ),
        None,
    ),
    (
        "answer_in_question",
        changed(SHORT, question="Who wrote it? The answer is William Shakespeare."),
        "answer_in_question",
    ),
    (
        "answer_in_question",
        changed(NUMERIC, question="How many eggs are in 4 boxes of 6? (Answer: 24)"),
        "answer_in_question",
    ),
    (
        "answer_in_question",
        changed(
            CHOICE,
            question="Plants take in gases through small openings in their leaves. Where do they take in gases?",
            choices=["through small openings in their leaves", "in their roots", "in the seeds"],
            answer={"text": "through small openings in their leaves", "label": "A"},
        ),
        "answer_in_question",
    ),
    (
        "answer_in_question",
        changed(NUMERIC, question="Ann has 24 boxes of eggs and gives away none. How many boxes are left?"),
        None,
    ),
    (
        "answer_in_question",
        changed(
            CHOICE,
            question="Is it the cat or the dog that barks?",
            choices=["the cat", "the dog", "both"],
            answer={"text": "the dog", "label": "B"},
        ),
        None,
    ),
    (
        "answer_in_question",
        changed(ENTAILMENT, question="Is Leo taller?\nProposed answer: false\nIs the proposed answer true or false?"),
        None,
    ),
    (
        "missing_material",
        changed(FREE, question="What does the graph below show about the growth of yeast?"),
        "missing_figure",
    ),
    (
        "missing_material",
        changed(FREE, question="The chest x-ray is shown below. What is the diagnosis?"),
        "missing_figure",
    ),
    ("missing_material", changed(GERMAN, question="Was ist auf dem Bild zu sehen?"), "missing_figure"),
    ("missing_material", changed(SHORT, question="According to the passage, who wrote the play?"), "missing_passage"),
    (
        "missing_material",
        changed(SHORT, language="es", question="Según el texto, ¿quién escribió la obra?"),
        "missing_passage",
    ),
    ("missing_material", changed(SHORT, question="Which of the following is a mammal?"), "missing_options"),
    (
        "missing_material",
        changed(SHORT, question="According to the passage, who wrote the play?", passage="It was Shakespeare."),
        None,
    ),
    ("missing_material", changed(CHOICE, question="Which of the following is a mammal?"), None),
    (
        "missing_material",
        changed(NUMERIC, question="A map has a scale of 1 to 100. A line in the map is 5 cm. How long is it really?"),
        None,
    ),
    (
        "missing_material",
        changed(LATEX, question="[asy]draw((0,0)--(1,1));[/asy] How long is the segment in the figure?"),
        None,
    ),
    (
        "missing_material",
        changed(
            FREE,
            question="Why do rivers carry less water below a dam, and why does the temperature above the sea fall?",
        ),
        None,
    ),
    (
        "reasoning_end",
        changed(CHOICE, reasoning="Plants give off oxygen. So the answer is oxygen."),
        "reasoning_contradicts_answer",
    ),
    ("reasoning_end", changed(CHOICE, reasoning="The correct answer is C."), "reasoning_contradicts_answer"),
    (
        "reasoning_end",
        changed(CHOICE, reasoning="Plants breathe like we do. Therefore they need oxygen."),
        "reasoning_ends_elsewhere",
    ),
    ("reasoning_end", changed(NUMERIC, reasoning="4 + 6 = 10. The answer is 10."), "reasoning_contradicts_answer"),
    (
        "reasoning_end",
        changed(NUMERIC, reasoning="There are 4 boxes of 6 eggs, so there are 4 + 6 = 10 eggs."),
        "reasoning_lacks_answer",
    ),
    ("reasoning_end", changed(LATEX, reasoning="Hence we get $\\boxed{2}$."), "reasoning_contradicts_answer"),
    (
        "reasoning_end",
        changed(SHORT, reasoning="It is a play of the 1590s. The answer is Christopher Marlowe."),
        "reasoning_contradicts_answer",
    ),
    (
        "reasoning_end",
        changed(GERMAN, reasoning="Bienen sammeln Nektar. Die Antwort lautet: das Huhn."),
        "reasoning_contradicts_answer",
    ),
    (
        "reasoning_end",
        changed(ENTAILMENT, reasoning="Jim is the tallest. The answer is true."),
        "reasoning_contradicts_answer",
    ),
    (
        "reasoning_end",
        changed(CHOICE, reasoning="Plants need carbon dioxide. Oxygen is wrong, because plants give it off."),
        None,
    ),
    ("reasoning_end", changed(CHOICE, reasoning="Carbon comes from the air. The answer is B."), None),
    ("reasoning_end", changed(CHOICE, reasoning="The correct option is (B) carbon dioxide, not oxygen."), None),
    ("reasoning_end", changed(NUMERIC, reasoning="The answer is 24 eggs in all."), None),
    ("reasoning_end", changed(NUMERIC, answer="1,200", reasoning="The price is therefore $1 200."), None),
    ("reasoning_end", changed(NUMERIC, answer="0.5", reasoning="This gives $\\frac{1}{2}$."), None),
    (
        "reasoning_end",
        changed(NUMERIC, answer="\\frac{3}{4}", reasoning="So the answer is $\\boxed{\\frac{3}{4}}$."),
        None,
    ),
    (
        "reasoning_end",
        changed(ENTAILMENT, reasoning="If it were true, Leo would be the tallest. The answer is false."),
        None,
    ),
    (
        "reasoning_end",
        changed(
            LATEX,
            kind="short_text",
            reasoning="We get $x = 1$. Checking our answer is necessary because squaring may add roots.",
        ),
        None,
    ),
    ("reasoning_end", CODE, None),
    ("context_restatement", changed(CHOICE, context="The plants take in carbon dioxide."), "context_restates_answer"),
    (
        "context_restatement",
        changed(CHOICE, context="Plants take in gas when they build sugar."),
        "context_restates_question",
    ),
    (
        "context_gives_answer",
        changed(
            CHOICE,
            context="Photosynthesis happens in the green leaves under sunlight. The correct answer is carbon dioxide.",
        ),
        "context_gives_answer",
    ),
    ("context_restatement", changed(CHOICE, context=""), None),
    ("context_restatement", changed(CODE, context="The operator * multiplies; def begins a function."), None),
    # what is the subject of a question is no slip of the model
    ("personal_data", changed(NUMERIC, question="Multiply 123-456-7890 read as 123 x 456. What is it?"), None),
    ("personal_data", changed(CODE, question="Write valid_ip(s), True for strings like 8.8.8.8."), None),
    ("personal_data", changed(SHORT, question="Check the check digits of the IBAN DE89 3704 0044 0532 0130 00."), None),
    ("personal_data", changed(SHORT, question="What does the part after @ in jo.lee@nato.int say?"), None),
    ("personal_data", changed(SHORT, answer="Phone me on 0171 2345 981."), "personal_data"),
    (
        "prompt_leak",
        changed(FREE, question="User: It broke.\nAgent: Do you have the receipt?\nWhat does the user want?"),
        None,
    ),
    (
        "prompt_leak",
        changed(
            ENTAILMENT, question="Question 1: How old is Leo?\nQuestion 2: What is Leo's age?\nDo both ask the same?"
        ),
        None,
    ),
    ("prompt_leak", changed(FREE, question="What does {{ name }} do in a Jinja template?"), None),
    ("prompt_leak", changed(SHORT, reasoning="Since the gold answer says Shakespeare, it is he."), "prompt_leak"),
    ("prompt_leak", changed(GERMAN, reasoning="Laut Musterlösung ist es die Kuh."), "prompt_leak"),
    ("prompt_leak", changed(FREE, reasoning="As instructed, I do not reveal it. Yeast makes gas."), "prompt_leak"),
    ("prompt_leak", changed(FREE, question="A nurse acted as instructed by a doctor. Is she liable, and why?"), None),
    ("placeholder", changed(SHORT, question="What does {{ name }} print in a template?"), None),
    ("placeholder", changed(SHORT, question="In which year did [EVENT] take place in [COUNTRY]?"), "placeholder"),
    ("placeholder", changed(GERMAN, choices=["Antwort 1", "Antwort 2", "die Kuh"]), "placeholder"),
    ("latex_balance", changed(SHORT, question="In LaTeX, which command must close \\begin{itemize}?"), None),
    ("latex_balance", changed(FREE, question='Why does this not compile? for (;;) { printf("\\nHello\\test");'), None),
    ("refusal", changed(FREE, answer="\"I'm sorry, but I can't help with that,\" said the butler to the robot."), None),
    ("refusal", changed(FREE, reasoning="Mi dispiace, ma non posso rispondere.", language="it"), "refusal"),
    ("refusal", changed(FREE, context="As a large language model predicts text, it is trained on much of it."), None),
    (
        "dodge",
        changed(SHORT, reasoning="I am unable to determine this from the information given."),
        "reasoning_gives_up",
    ),
    ("dodge", changed(SHORT, answer="It cannot be determined from the text."), "answer_gives_up"),
    (
        "dodge",
        changed(
            ENTAILMENT,
            choices=["true", "false", "it cannot be determined"],
            answer={"text": "it cannot be determined", "label": "C"},
            reasoning="Nothing is said of Leo, so it cannot be determined.",
        ),
        None,
    ),
    (
        "self_doubt",
        changed(
            NUMERIC,
            reasoning="4*6=24. Wait, no. Let me recompute. 26? Hmm. Wait, 24. Hold on, let me check. Wait... 24.",
        ),
        "self_doubt",
    ),
    (
        "self_doubt",
        changed(NUMERIC, reasoning="4 * 6 is 26. Wait, 4 * 6 is 24, as 4 * 5 is 20. So there are 24 eggs."),
        None,
    ),
    ("advertising", changed(SHORT, context="Visit https://best-essays.biz for more essays!"), "advertising"),
    ("advertising", changed(SHORT, context="Klik hier voor korting.", language="nl"), "advertising"),
    (
        "advertising",
        changed(SHORT, question="Which code does http://foo.org/old send?", context="See http://foo.org."),
        None,
    ),
    ("advertising", CHOICE, None),
    ("residue", changed(CHOICE, context="Leaves have openings.<br /><br />Light helps.&nbsp;"), "residue"),
    ("residue", changed(CHOICE, reasoning="```\nPlants take in carbon dioxide."), "residue"),
    ("residue", changed(SHORT, question="Which HTML tag makes text bold: <b> or <p>?", answer="<b>"), None),
    ("residue", LATEX, None),
    (
        "cut_off",
        changed(SHORT, context="Plays were written in London. The sum depends on the number of"),
        "context_cut_off",
    ),
    (
        "cut_off",
        changed(FREE, answer="Yeast eats the sugar of the dough. It gives off a gas that stays in and"),
        "answer_cut_off",
    ),
    (
        "cut_off",
        changed(JAPANESE, context="武士の勢力が強くなりました。東国の武士をまとめた一族は、壇ノ浦の戦いで平氏を"),
        "context_cut_off",
    ),
    ("cut_off", changed(NUMERIC, reasoning="4 * 6 = 24 eggs"), None),
    ("cut_off", changed(CHOICE, question="The gas that the plants take in is the"), None),
    ("cut_off", changed(SHORT, context="การหารคือการแบ่งเท่า ๆ กัน", language="th"), None),
    ("no_question", changed(SHORT, question="Hamlet."), "no_question"),
    ("no_question", changed(NUMERIC, question="В саду растут 12 яблонь и 15 груш.", language="ru"), "no_question"),
    ("no_question", changed(SHORT, question="Translate to French: The cat sleeps."), None),
    ("no_question", changed(NUMERIC, question="Find x if 2x is 8."), None),
    ("no_question", changed(CHOICE, question="The gas that plants take in"), None),
    ("empty_solution", changed(SHORT, reasoning="William Shakespeare."), "reasoning_restates_answer"),
    ("empty_solution", changed(NUMERIC, reasoning="24."), "reasoning_restates_answer"),
    ("empty_solution", changed(FREE, answer="..."), "answer_is_empty"),
    ("empty_solution", changed(NUMERIC, reasoning="4 * 6 = 24"), None),
    (
        "options_distinct",
        changed(CHOICE, choices=["oxygen", "carbon dioxide", "Carbon dioxide."]),
        "choices_not_distinct",
    ),
    (
        "options_distinct",
        changed(
            CHOICE, question="How many sides has a cube?", choices=["4", "6", "six"], answer={"text": "6", "label": "B"}
        ),
        "choices_not_distinct",
    ),
    ("options_distinct", changed(JAPANESE, choices=["100℃", "１００℃", "0℃"]), "choices_not_distinct"),
    ("options_distinct", changed(CHOICE, choices=["AA", "Aa", "aa"], answer={"text": "Aa", "label": "B"}), None),
    ("options_distinct", changed(CHOICE, question="Which is written correctly?", choices=["its", "it's", "Its"]), None),
    (
        "answer_in_question",
        changed(SHORT, question="The play was written by William Shakespeare. By whom was the play written?"),
        "answer_in_question",
    ),
    ("missing_material", changed(NUMERIC, question="How many edges are in the graph K_5?"), None),
    ("missing_material", changed(SHORT, question="Which number lies in the image of f?"), None),
    ("missing_material", changed(SHORT, question="Who wrote the story in the picture book 'Frederick'?"), None),
    (
        "missing_material",
        changed(SHORT, question="The table shows five melting points. Which melts first?"),
        "missing_figure",
    ),
    ("missing_material", changed(SHORT, question="What does the following program print?"), "missing_listing"),
    ("missing_material", changed(SHORT, question="What does the following program print? `print(1 + 1)`"), None),
    (
        "missing_material",
        changed(SHORT, question="اقرأ النص التالي ثم أجب: أين أضاعت ليلى دفترها؟", language="ar"),
        "missing_passage",
    ),
    # conclusions, by kind and language
    ("reasoning_end", changed(NUMERIC, language="de", answer="3,5", reasoning="Die Antwort lautet 3,5."), None),
    ("reasoning_end", changed(NUMERIC, answer="2 1/2", reasoning="150 / 60 = 2.5. #### 2.5"), None),
    ("reasoning_end", changed(NUMERIC, answer="1000", reasoning="The answer is 10^3 seconds."), None),
    ("reasoning_end", changed(NUMERIC, answer="7", reasoning="The answer is seven."), None),
    ("reasoning_end", changed(NUMERIC, answer="1,25,000", language="hi", reasoning="हर एक को 1,25,000 रुपये मिले।"), None),
    ("reasoning_end", changed(NUMERIC, answer="2.5 million", reasoning="So there are 2,500,000 people."), None),
    (
        "reasoning_end",
        changed(NUMERIC, answer="-7", reasoning="3 - 10 = 7. The answer is 7."),
        "reasoning_contradicts_answer",
    ),
    (
        "reasoning_end",
        changed(NUMERIC, answer="-2", reasoning="Hence the slope is $\\frac{8}{4}=2$."),
        "reasoning_contradicts_answer",
    ),
    (
        "reasoning_end",
        changed(NUMERIC, answer="-5", reasoning="So a = -20 / 4 = -5 m/s². The minus sign says that it slows."),
        None,
    ),
    (
        "reasoning_end",
        changed(NUMERIC, question="What is the speed in km/h?", answer="3", reasoning="The speed is therefore 3 m/s."),
        "reasoning_contradicts_answer",
    ),
    (
        "reasoning_end",
        changed(NUMERIC, answer="13", reasoning="Ten and 3 make 13. So he fills 14 boxes."),
        "reasoning_ends_elsewhere",
    ),
    (
        "reasoning_end",
        changed(
            ENTAILMENT,
            choices=["yes", "no"],
            answer={"text": "no", "label": "B"},
            reasoning="It divides, so yes, it is.",
        ),
        "reasoning_ends_elsewhere",
    ),
    (
        "reasoning_end",
        changed(SHORT, language="es", answer="No", reasoning="No hay divisor, así que sí, 91 es primo."),
        "reasoning_ends_elsewhere",
    ),
    (
        "reasoning_end",
        changed(ENTAILMENT, reasoning="Kay is taller than Leo. The relation is therefore unknown."),
        "reasoning_ends_elsewhere",
    ),
    (
        "reasoning_end",
        changed(GERMAN, reasoning="Bienen geben keine. Richtig ist daher Antwort B."),
        "reasoning_contradicts_answer",
    ),
    (
        "reasoning_end",
        changed(
            CHOICE,
            question="Which vitamin prevents scurvy?",
            choices=["vitamin A", "vitamin C"],
            answer={"text": "vitamin C", "label": "B"},
            reasoning="Scurvy follows from a lack of one vitamin. The answer is vitamin C.",
        ),
        None,
    ),
    (
        "reasoning_end",
        changed(SHORT, reasoning="It is a play of the 1590s by Christopher Marlowe."),
        "reasoning_lacks_answer",
    ),
    (
        "all_of_the_above",
        changed(
            CHOICE,
            question="Which are even?",
            choices=["2", "3", "all of the above"],
            answer={"text": "all of the above", "label": "C"},
            reasoning="2 and 4 are even, but 3 is not.",
        ),
        "reasoning_contradicts_answer",
    ),
    ("all_of_the_above", CHOICE, None),
    ("wrong_arithmetic", changed(NUMERIC, reasoning="There are 4 boxes, so 4 * 6 = 26, about 24."), "wrong_arithmetic"),
    (
        "wrong_arithmetic",
        changed(NUMERIC, reasoning="So 4 * 6 + 0 = 24, 100 / 6 = 16.67, and then 2 + 3 * 4 = 14."),
        None,
    ),
    ("wrong_arithmetic", changed(NUMERIC, language="de", reasoning="Also 3,5 * 2 = 7 und 1.200 + 5 = 1.205."), None),
    ("code_tests", changed(CODE, tests=["assert True"]), "tests_do_not_test"),
    (
        "code_tests",
        changed(CODE, answer="def triple(n):\n    return 3 * n\n", tests=["assert triple(1)"]),
        "function_not_defined",
    ),
    ("code_tests", changed(CODE, answer="def double(n):\n    pass\n"), "code_is_a_stub"),
    ("code_tests", CODE, None),
    (
        "context_gives_answer",
        changed(SHORT, context="William Shakespeare wrote the play about the lovers of Verona."),
        "context_gives_answer",
    ),
    (
        "context_gives_answer",
        changed(NUMERIC, context="Four boxes of 6 eggs hold 24 eggs altogether."),
        "context_gives_answer",
    ),
    (
        "context_gives_answer",
        changed(ENTAILMENT, context="Heights can be ordered. In the present case they are, so the label is false."),
        "context_gives_answer",
    ),
    ("context_gives_answer", changed(CHOICE, context="Oxygen and carbon dioxide are gases of the air."), None),
    ("context_gives_answer", NUMERIC, None),
    (  # a number before the conclusion is none that it comes to
        "context_gives_answer",
        changed(NUMERIC, context="Boxes are stacked in rows of 24 at most, so a store counts them by their rows."),
        None,
    ),
    (
        "context_gives_answer",
        changed(NUMERIC, context="Boxes are stacked in rows, so a store that counts them finds 24."),
        "context_gives_answer",
    ),
    (
        "context_off_topic",
        changed(
            NUMERIC, context="Photosynthesis turns light into chemical energy inside chloroplasts of green plants."
        ),
        "context_off_topic",
    ),
    ("context_off_topic", NUMERIC, None),
    (
        "reasoning_off_topic",
        NUMERIC
        | {
            "question": "How long does the ferry travel between the harbours of both islands, in minutes?",
            "context": None,
            "answer": {"text": "45", "label": None, "aliases": []},
            "reasoning": "Iron oxidises whenever oxygen touches an unprotected surface; painters prefer zinc primers.",
        },
        "reasoning_off_topic",
    ),
    ("reasoning_off_topic", NUMERIC, None),
    (
        "answer_of_another_kind",
        NUMERIC
        | {
            "kind": "short_text",
            "question": "Where was the painter Vermeer born?",
            "answer": {"text": "1632", "label": None, "aliases": []},
            "reasoning": "Vermeer was baptised in October 1632.",
        },
        "answer_of_another_kind",
    ),
    (
        "answer_of_another_kind",
        NUMERIC
        | {
            "kind": "short_text",
            "question": "When was the painter Vermeer born?",
            "answer": {"text": "1632", "label": None, "aliases": []},
            "reasoning": "Vermeer was baptised in October 1632.",
        },
        None,
    ),
    (
        "language",
        changed(
            CHOICE, question="Which German sentence is correct?", choices=["Ich habe gegessen.", "Ich gegessen habe."]
        ),
        None,
    ),
    (
        "language",
        changed(
            SHORT,
            question="Translate to French: The cat sleeps on the table.",
            reasoning="cat = le chat, sleeps = dort, on the table = sur la table.",
        ),
        None,
    ),
    (
        "language",
        changed(FREE, language="hi", question="इंद्रधनुष कैसे बनता है और कब दिखता है?", context="", reasoning=""),
        "language_mismatch",
    ),
    (
        "answer_off_topic",
        FREE
        | {
            "answer": {
                "text": (
                    "Glaciers carve wide valleys, carry boulders southwards and leave long ridges of gravel behind "
                    "when summers become warmer."
                ),
                "label": None,
                "aliases": [],
            }
        },
        "answer_off_topic",
    ),
    ("answer_off_topic", FREE, None),
]


@pytest.mark.parametrize(
    ("name", "sample", "reason"), CASES, ids=[f"{name}-{number}" for number, (name, _, _) in enumerate(CASES)]
)
def test_filter_drops_and_keeps(name, sample, reason):
    assert verdict(name, sample) == reason


def test_every_filter_is_tried_both_ways():
    honest = set(BUILT_IN) - OFF  # fluency has tests of its own: it needs the embedded model
    dropped = {name for name, _, reason in CASES if reason}
    kept = {name for name, _, reason in CASES if reason is None}
    assert dropped == kept == honest


def test_filter_can_be_switched_off_and_thresholds_set():
    long = changed(
        CHOICE, question="Which gas do the plants of the field and of the wood take in when they build sugar?"
    )
    assert apply_filters(long, CurateSection()) is None
    assert apply_filters(long, CurateSection(filters={"length": {"max_question": 40}}))[0] == "too_long"
    assert (
        apply_filters(
            changed(CHOICE, answer="nitrogen"), CurateSection(filters={"schema": False, "reasoning_end": False})
        )
        is None
    )
    assert verdict("length", changed(NUMERIC, answer="12345678"), max_answer={"numeric": 5}) == "too_long"
    assert verdict("prompt_leak", changed(FREE, answer="Bread, BY ACME."), phrases=["by acme"]) == "prompt_leak"
    assert (
        verdict("language", changed(GERMAN, reasoning="Hens lay eggs and bees collect nectar."), reasoning=False)
        is None
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"repetitoin": False}, ["repetitoin", "did you mean repetition", "length"]),
        ({"length": {"max_words": 3}}, ["length", "max_words", "max_question"]),
        ({"length": {"max_question": "long"}}, ["max_question", "'long'"]),
        ({"length": {"max_answer": {"essay": 3}}}, ["max_answer", "essay"]),
        ({"length": 40}, ["length", "mapping"]),
        ({"no_such_module_here:check": True}, ["no_such_module_here:check", "PYTHONPATH"]),
        ({"json:no_such_function": True}, ["json:no_such_function"]),
    ],
)
def test_unknown_names_and_thresholds_are_one_clear_line(settings, words):
    with pytest.raises(ConfigError) as caught:
        load_filters(CurateSection(filters=settings))
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words)


USER_FILTERS = """
def no_shouting(sample, *, max_share=0.5):
    letters = [letter for letter in sample["question"] if letter.isalpha()]
    return "shouting" if letters and sum(map(str.isupper, letters)) > max_share * len(letters) else None

def with_detail(sample, *, word):
    return ("bad_word", word) if word in sample["question"] else None

def broken(sample):
    return sample["no such field"]

def wordy(sample):
    return "Not A Reason"

def rewriting(sample):
    sample["question"], sample["answer"]["text"] = "changed", "changed"
"""


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    (tmp_path / "sdg_user_filters.py").write_text(USER_FILTERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "sdg_user_filters", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    filters._load.cache_clear()
    return tmp_path / "sdg_user_filters.py"


def test_user_filter_from_the_working_directory(user_module):
    loud = changed(CHOICE, question="WHICH GAS DO PLANTS TAKE IN?")
    assert apply_filters(loud, CurateSection()) is None
    assert apply_filters(loud, CurateSection(filters={"sdg_user_filters:no_shouting": True})) == ("shouting", None)
    assert apply_filters(loud, CurateSection(filters={"sdg_user_filters:no_shouting": {"max_share": 1.0}})) is None
    assert apply_filters(loud, CurateSection(filters={"sdg_user_filters:no_shouting": False})) is None
    assert apply_filters(CHOICE, CurateSection(filters={"sdg_user_filters:with_detail": {"word": "gas"}})) == (
        "bad_word",
        "gas",
    )
    with pytest.raises(ConfigError, match="needs word"):
        apply_filters(CHOICE, CurateSection(filters={"sdg_user_filters:with_detail": True}))
    with pytest.raises(DataError, match="broken failed on sample a1: KeyError"):
        apply_filters(CHOICE, CurateSection(filters={"sdg_user_filters:broken": True}))
    with pytest.raises(DataError, match="snake_case"):
        apply_filters(CHOICE, CurateSection(filters={"sdg_user_filters:wordy": True}))


def test_a_filter_cannot_change_the_sample_that_it_looks_at(user_module):
    sample = changed(CHOICE)
    before = copy.deepcopy(sample)
    assert apply_filters(sample, CurateSection(filters={"sdg_user_filters:rewriting": True})) is None
    assert sample == before


def test_identity_follows_thresholds_and_the_users_source(user_module):
    config = CurateSection(filters={"sdg_user_filters:no_shouting": True, "repetition": False})
    before = filters_identity(config)
    assert "repetition" not in before
    assert before["length"]["min_question"] == 3
    assert filters_identity(config) == before
    assert filters_identity(CurateSection(filters=config.filters | {"length": {"min_question": 4}})) != before
    user_module.write_text(USER_FILTERS + "\n# changed\n")
    assert filters_identity(config) != before


def test_filters_never_fail_on_strange_samples():
    for strange in ("\0", "\\", "{", "$", "🙂", "\n" * 50, "\\boxed{", "((", "answer is", "#### "):
        for honest in HONEST.values():
            sample = changed(honest, question=strange, reasoning=strange, context=strange)
            for name in BUILT_IN:
                verdict(name, sample)
