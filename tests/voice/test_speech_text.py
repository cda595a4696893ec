"""The text front end: what is spoken, in which sentences, in which language, and how numbers are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoline_voice.text.chinese_numbers import read_numbers
from isoline_voice.text.cleaning import clean, speakable
from isoline_voice.text.english_numbers import read_english
from isoline_voice.text.languages import split_languages
from isoline_voice.text.normalising import spoken_form
from isoline_voice.text.sentences import PIECE_WEIGHT, SentenceBuffer, pieces, sentences, weight


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("  你好 ，\t 世界\r\n\r\n\r\n再见 ", "你好 ，世界\n再见"),
        ("a\x00b\x07c\u200bd\ufeff\u202ee", "abcde"),
        ("<speak>Hello <break time='1s'/>world</speak>", "Hello world"),
        ("你好<|endofprompt|>世界", "你好 世界"),
        ("<|end<|x|>ofprompt|>你好", "你好"),
        ("<b>x</b><!-- y --><img src='z'/>", "x"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
        ("我[laughter]笑了[breath]", "我 笑了"),
        ("**bold** and `code` and [a link](https://example.com/x)", "bold and code and a link"),
        ("# Title\n- one\n- two\n---\nend", "Title\none\ntwo\nend"),
        ("ＡＢＣ１２３％", "ABC123%"),
        ("a line that was\nwrapped by hand", "a line that was wrapped by hand"),
        ("2*3*4", "2*3*4"),
        ("中文**粗体**中文", "中文粗体中文"),
        ("", ""),
    ],
)
def test_only_what_is_meant_to_be_heard_is_left(text: str, heard: str) -> None:
    assert clean(text).replace(" ，", "，").replace("， ", "，") == heard.replace(" ，", "，")


@pytest.mark.parametrize(
    "text",
    ["<|" * 100_000 + "|>" * 100_000, "<a " * 60_000, "[" * 200_000, "*" * 200_000, "1. a\n" * 50_000, "- " * 100_000],
    ids=["tokens", "markup", "brackets", "stars", "items", "dashes"],
)
def test_the_work_stays_in_proportion_to_the_text(text: str) -> None:
    """Each of these took minutes when the work grew with the square of the length; the time limit would show it."""
    cleaned = clean(text)
    assert "<|" not in cleaned
    assert all(weight(piece) <= PIECE_WEIGHT + 1 for piece in pieces(cleaned))


@given(st.text(max_size=300))
def test_cleaning_leaves_no_control_character_and_no_model_token(text: str) -> None:
    cleaned = clean(text)
    assert "<|" not in cleaned
    assert all(character == "\n" or character.isprintable() or character.isspace() for character in cleaned)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好。世界！真的吗？！好……是的；完", ["你好。", "世界！", "真的吗？！", "好……", "是的；", "完"]),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 3.14 dollars. Yes.", ["It costs 3.14 dollars.", "Yes."]),
        ("圆周率是3.14。对", ["圆周率是3.14。", "对"]),
        ("Dr. Smith met Mr. Jones. They left.", ["Dr. Smith met Mr. Jones.", "They left."]),
        ("See e.g. this one, i.e. that. Ok.", ["See e.g. this one, i.e. that.", "Ok."]),
        ("The U.S. Army won. It did.", ["The U.S. Army won.", "It did."]),
        ("J. R. R. Tolkien wrote. Well.", ["J. R. R. Tolkien wrote.", "Well."]),
        ("Wait... what? No.", ["Wait... what?", "No."]),
        ("Visit example.com now. v2.0 works.", ["Visit example.com now. v2.0 works."]),
        ("他说：“你好。”然后走了。", ["他说：“你好。”", "然后走了。"]),
        ('He said "Stop!" Then left.', ['He said "Stop!"', "Then left."]),
        ("1. First\n2. Second", ["1. First\n", "2. Second"]),
        ("第一行\n第二行", ["第一行\n", "第二行"]),
        ("混合English sentence.然后中文。", ["混合English sentence.", "然后中文。"]),
        ("   ", []),
    ],
)
def test_a_text_is_split_where_a_reader_would_stop(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


@given(st.text(alphabet='ab 1.,!?。，！？…\n字文3"”)', max_size=400))
def test_splitting_loses_nothing_but_white_space(text: str) -> None:
    kept = "".join(text.split())
    assert "".join("".join(sentences(text)).split()) == kept
    assert "".join("".join(pieces(text)).split()) == kept


@pytest.mark.parametrize("text", ["字" * 5_000, "word " * 2_000, "x" * 5_000, "1" * 5_000, "，" * 3_000 + "好"])
def test_no_piece_is_long_even_without_punctuation(text: str) -> None:
    assert all(weight(piece) <= PIECE_WEIGHT + 1 for piece in pieces(text))


def test_the_first_piece_is_short_so_that_it_is_heard_soon() -> None:
    text = "今天天气很好，我们一起去公园玩吧，那里有很多花，还有很多鸟，非常漂亮，大家都喜欢去那里散步。"
    first = next(pieces(text))
    assert first == "今天天气很好，我们一起去公园玩吧，那里有很多花，"


def test_words_and_numbers_are_not_cut_where_it_can_be_helped() -> None:
    for piece in pieces("wonderful " * 200):
        assert set(piece.split()) == {"wonderful"}


@pytest.mark.parametrize(
    ("scraps", "given_out"),
    [
        (["你好", "。世", "界。"], [[], ["你好。"], ["世界。"]]),
        (["Pi is 3.", "14. Yes", "."], [[], ["Pi is 3.14."], []]),
        (["Hello wor", "ld! How", " are you?"], [[], ["Hello world!"], []]),
    ],
)
def test_text_that_comes_in_scraps_is_given_out_by_sentence(scraps: list[str], given_out: list[list[str]]) -> None:
    buffer = SentenceBuffer()
    assert [buffer.feed(scrap) for scrap in scraps] == given_out


def test_what_is_left_at_the_end_is_given_out_once() -> None:
    buffer = SentenceBuffer()
    assert buffer.feed("no full stop") == []
    assert buffer.finish() == ["no full stop"]
    assert buffer.finish() == []


def test_scraps_without_punctuation_do_not_pile_up() -> None:
    buffer = SentenceBuffer()
    out = [piece for _ in range(100) for piece in buffer.feed("没有标点的文字")]
    assert len("".join(out)) > 400
    assert "".join([*out, *buffer.finish()]) == "没有标点的文字" * 100


@given(st.text(alphabet="ab .!3字。，\n", max_size=200), st.integers(1, 7))
def test_scraps_lose_nothing(text: str, size: int) -> None:
    buffer = SentenceBuffer()
    out = [piece for start in range(0, len(text), size) for piece in buffer.feed(text[start : start + size])]
    assert "".join("".join([*out, *buffer.finish()]).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我喜欢Python编程。", ["zh 我喜欢", "en Python", "zh 编程。"]),
        ("MP3和iPhone 15很好", ["en MP3", "zh 和", "en iPhone", "zh  15很好"]),
        ("今日は良い天気です", ["ja 今日は良い天気です"]),
        ("안녕하세요 2024", ["ko 안녕하세요 2024"]),
        ("Привет мир!", ["ru Привет мир!"]),
        ("Bonjour, je suis très content", ["fr Bonjour, je suis très content"]),
        ("Guten Tag, das ist gut", ["de Guten Tag, das ist gut"]),
        ("Hola, ¿cómo está usted?", ["es Hola, ¿cómo está usted?"]),
        ("Ciao, questo è molto bello", ["it Ciao, questo è molto bello"]),
        ("The cat is on the mat.", ["en The cat is on the mat."]),
        ("奥斯卡・王尔德", ["zh 奥斯卡・王尔德"]),
        ("3.14", ["en 3.14"]),
    ],
)
def test_each_run_is_in_one_language(text: str, expected: list[str]) -> None:
    assert [f"{run.language} {run.text}" for run in split_languages(text)] == expected


def test_a_hint_settles_latin_script_and_bare_numbers() -> None:
    assert split_languages("Radio", latin="de")[0].language == "de"
    assert split_languages("2024", home="zh")[0].language == "zh"


@given(st.text(max_size=200))
def test_runs_lose_nothing(text: str) -> None:
    assert "".join(run.text for run in split_languages(text)) == text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("我有123个苹果", "我有一百二十三个苹果"),
        ("圆周率是3.14", "圆周率是三点一四"),
        ("2024年5月1日", "二零二四年五月一日"),
        ("2024-05-01", "二零二四年五月一日"),
        ("涨了50%", "涨了百分之五十"),
        ("10%-20%", "百分之十到百分之二十"),
        ("10:30出发", "十点三十分出发"),
        ("10:05", "十点零五分"),
        ("10:00", "十点"),
        ("电话13800138000", "电话一三八零零一三八零零零"),
        ("第1个", "第一个"),
        ("12,345,678", "一千二百三十四万五千六百七十八"),
        ("1/2杯", "二分之一杯"),
        ("3-5天", "三到五天"),
        ("-5", "负五"),
        ("2个人", "两个人"),
        ("2月2号", "二月二号"),
        ("¥12.5", "十二点五元"),
        ("$100", "一百美元"),
        ("10010", "一万零一十"),
        ("100010", "十万零一十"),
        ("20000", "两万"),
        ("1001000", "一百万一千"),
        ("100000000", "一亿"),
        ("15", "十五"),
        ("115", "一百一十五"),
        ("0", "零"),
        ("007", "零零七"),
        ("10km", "十公里"),
        ("37.5℃", "三十七点五摄氏度"),
        ("1+1=2", "一加一等于二"),
        ("MP3播放器", "MP3播放器"),
        ("20年后", "二十年后"),
        ("拨打138-0013-8000或010-12345678", "拨打一三八，零零一三，八零零零或零一零，一二三四五六七八"),
        ("客服电话400-800-8888", "客服电话四零零，八零零，八八八八"),
        ("拨打12306", "拨打一二三零六"),
        ("下午2:30开会", "下午两点三十分开会"),
        ("￥1,299.00元", "一千二百九十九元"),
        ("-5℃~10℃", "负五摄氏度到十摄氏度"),
        ("100米/秒", "一百米每秒"),
        ("比分3:2", "比分三比二"),
        ("305室的90后", "三零五室的九零后"),
        ("6月18日-20日", "六月十八日到二十日"),
    ],
)
def test_numbers_in_chinese_text_are_read_in_chinese(text: str, read: str) -> None:
    assert read_numbers(text) == read


@given(st.integers(0, 10**10 - 1))
def test_every_number_is_read_without_figures(value: int) -> None:
    assert not any(character.isdigit() and character.isascii() for character in read_numbers(str(value)))


def test_punctuation_alone_is_nothing_to_say() -> None:
    assert not speakable("，。！ …\n")
    assert speakable("字")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("It costs $3.50, or £1.", "It costs three dollars and fifty cents, or one pound."),
        ("$0.05 and $2.5m", "five cents and two point five million dollars"),
        ("On 2024-05-01 at 10:30 am", "On May first, twenty twenty-four at ten thirty A M"),
        ("May 5th, 2024", "May fifth, twenty twenty-four"),
        ("14:05 and 9 pm", "fourteen oh five and nine P M"),
        ("Call 555-0100.", "Call five five five, zero one zero zero."),
        ("10-20% of 1,000,000", "ten to twenty percent of one million"),
        ("the 21st and 40th", "the twenty-first and fortieth"),
        ("5 km at 60 km/h, 1 kg", "five kilometers at sixty kilometers per hour, one kilogram"),
        ("-5°C", "minus five degrees Celsius"),
        ("in 1984, since 2007", "in nineteen eighty-four, since two thousand seven"),
        ("3.14, 007 and MP3 v2.0", "three point one four, zero zero seven and MP3 v2.0"),
        ("3-5 days", "three to five days"),
        ("In 1999 and the 1990s", "In nineteen ninety-nine and the nineteen nineties"),
        ("on 3/5/2024", "on March fifth, twenty twenty-four"),
        ("on 25/12/2010", "on December twenty-fifth, twenty ten"),
        ("1/2 cup and 3/4", "one half cup and three quarters"),
        ("5 USD to 192.168.1.1", "five US dollars to one nine two dot one six eight dot one dot one"),
        ("v2.0.1", "v two dot zero dot one"),
        ("Chapter IV, part XII; I am", "Chapter four, part twelve; I am"),
    ],
)  # fmt: skip
def test_figures_in_english_text_are_read_in_english(text: str, read: str) -> None:
    assert read_english(text) == read


@given(st.integers(0, 10**15 - 1))
def test_every_english_number_is_read_without_figures(value: int) -> None:
    assert not any(character.isdigit() for character in read_english(str(value)))


def test_each_stretch_is_normalised_in_its_own_language() -> None:
    assert spoken_form("我有3个苹果。I have 3 apples. J'ai 3 pommes très bonnes.").startswith("我有三个苹果。")
    assert spoken_form("I have 3 apples.") == "I have three apples."
    assert spoken_form("速度120km/h，重3.5kg，用MP3。") == "速度一百二十公里每小时，重三点五千克，用MP3。"
