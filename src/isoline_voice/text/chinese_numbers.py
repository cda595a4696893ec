"""Writes the numbers in Chinese text the way they are read aloud.

2024年 is read digit by digit, 3.14 with 点, 50% as 百分之五十, 2个 as 两个. A voice that is given figures gets most of
these wrong, whatever the engine, so it is given characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable

DIGITS = "零一二三四五六七八九"
_TENS = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿", "万亿", "亿亿")
LONGEST_CARDINAL = 10
"""Digits; what is longer without separators is a telephone or account number and is read digit by digit."""

UNITS = {
    "km/h": "公里每小时", "m/s": "米每秒", "km": "公里", "cm": "厘米", "mm": "毫米", "m": "米",
    "kg": "千克", "mg": "毫克", "g": "克", "ml": "毫升", "mL": "毫升", "L": "升", "kW": "千瓦", "Hz": "赫兹",
    "°C": "摄氏度", "℃": "摄氏度", "℉": "华氏度", "°": "度", "m²": "平方米", "km²": "平方公里", "m³": "立方米",
    "h": "小时", "s": "秒", "ms": "毫秒",
}  # fmt: skip
CURRENCIES = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑", "HK$": "港元", "US$": "美元"}
MEASURES = "个位只条张本件次天岁杯瓶家间座辆台匹头口对双套把块颗粒片首句段篇封顶层名种样倍份年小时分钟秒遍米公里"

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_EDGE = r"(?<![\d.A-Za-z])"


def read_numbers(text: str) -> str:
    """Chinese text with every number in Chinese characters; numbers that belong to a Latin word (MP3) are left."""
    for pattern, read in _RULES:
        text = pattern.sub(read, text)
    return text


def cardinal(digits: str) -> str:
    """A whole number, by its digits without separators, in words: "10010" is 一万零一十."""
    digits = digits.lstrip("0")
    if not digits:
        return DIGITS[0]
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)][::-1]
    words = ""
    for place, group in zip(range(len(groups) - 1, -1, -1), groups, strict=True):
        if not int(group):
            continue
        gap = words and (group[0] == "0" or not words.endswith(_MYRIADS[place + 1]))
        words += (DIGITS[0] if gap else "") + _thousands(group) + _MYRIADS[place]
    if words.startswith("一十"):
        return words[1:]
    return f"两{words[1:]}" if words.startswith(("二千", "二万", "二亿")) else words


def digit_by_digit(digits: str) -> str:
    """Each digit on its own: "2024" is 二零二四."""
    return "".join(DIGITS[int(digit)] for digit in digits)


def number(figure: str) -> str:
    """A number with or without thousands separators and decimals; long ones and those that begin with 0 by digits."""
    whole, _, decimals = figure.replace(",", "").partition(".")
    by_digits = "," not in figure and (len(whole) > LONGEST_CARDINAL or (len(whole) > 1 and whole[0] == "0"))
    words = digit_by_digit(whole) if by_digits or len(whole) > 4 * len(_MYRIADS) else cardinal(whole)
    return f"{words}点{digit_by_digit(decimals)}" if decimals else words


def _thousands(group: str) -> str:
    words, gap = "", False
    for index, digit in enumerate(group):
        if digit == "0":
            gap = bool(words)
            continue
        words += (DIGITS[0] if gap else "") + DIGITS[int(digit)] + _TENS[len(group) - 1 - index]
        gap = False
    return words


def _time(match: re.Match[str]) -> str:
    hour, minute, second = match.groups()
    words = f"{'两' if int(hour) == 2 else cardinal(hour)}点"
    if minute != "00" or second:
        words += ("零" if minute[0] == "0" else "") + (f"{cardinal(minute)}分" if minute != "00" else "分")
    return words + (f"{cardinal(second)}秒" if second else "")


def _date(match: re.Match[str]) -> str:
    year, _, month, day = match.groups()
    return f"{digit_by_digit(year)}年{cardinal(month)}月{cardinal(day)}日"


def _money(match: re.Match[str]) -> str:
    figure = match[2].removesuffix(".00")
    return number(figure) + match[3] + CURRENCIES[match[1]]


def _measured(match: re.Match[str]) -> str:
    return "两" if match.group(1) == "2" else number(match.group(1))


def _range(match: re.Match[str]) -> str:
    return f"{number(match.group(1))}到{number(match.group(2))}"


def _unit(match: re.Match[str]) -> str:
    figure, unit = match.groups()
    return ("两" if figure == "2" else number(figure)) + UNITS[unit]


def _alternatives(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_TELEPHONE = r"1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]\d{7,8}|[48]00[- ]\d{3}[- ]\d{4}"
_SERVICE = r"(?<=热线)\d{5,6}|(?<=电话)\d{3,6}|(?<=拨打)\d{3,6}|(?<=拨)\d{5}|1[12][0-9](?=电话)"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(rf"(?<![\d.A-Za-z-])(?:{_TELEPHONE}|{_SERVICE})(?![\d-])"),
        lambda match: "，".join(map(digit_by_digit, re.split("[- ]", match.group()))),
    ),
    (
        re.compile(
            _EDGE + r"(\d{3,4})(?=室|房间|号房|教室|路公交|次列车|航班)|" + _EDGE + r"(\d0)(?=后(?!面|来|期|边))"
        ),
        lambda match: digit_by_digit(match.group()),
    ),
    (re.compile(r"(?<=[日月号年点时分])\s?[-–~～]\s?(?=\d)"), lambda _: "到"),
    (re.compile(r"(?<=[\d%‰℃℉°])\s?[~～]\s?(?=[-−]?\d)"), lambda _: "到"),
    (re.compile("(?<=[\u4e00-\u9fff])/(?=[秒分时天月年人个次件小])"), lambda _: "每"),
    (re.compile(_EDGE + r"([12]\d{3})([-/.])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?!\d)"), _date),
    (re.compile(_EDGE + r"(\d{4}|\d{2})(?=年(?!级|前|后|来|间|内|以))"), lambda match: digit_by_digit(match.group(1))),
    (re.compile(_EDGE + r"([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：]([0-5]\d))?(?!\d)"), _time),
    (
        re.compile(_EDGE + r"(\d{1,3})[:：](\d{1,3})(?![\d:：])"),
        lambda match: f"{cardinal(match[1])}比{cardinal(match[2])}",
    ),
    (
        re.compile(rf"({_alternatives(CURRENCIES)})\s?({_NUMBER})([万亿]?)元?"),
        _money,
    ),
    (re.compile(rf"{_EDGE}({_NUMBER})\s?‰"), lambda match: f"千分之{number(match.group(1))}"),
    (
        re.compile(rf"{_EDGE}({_NUMBER})%?\s?[-~～—–至]\s?({_NUMBER})\s?%"),
        lambda match: f"百分之{number(match.group(1))}到百分之{number(match.group(2))}",
    ),
    (re.compile(rf"(?<![\dA-Za-z])[-−](?=(?:{_NUMBER})\s?(?:%|℃|°|度))"), lambda _: "负"),
    (re.compile(rf"({_NUMBER})\s?%"), lambda match: f"百分之{number(match.group(1))}"),
    (
        re.compile(rf"{_EDGE}(\d{{1,4}})/(\d{{1,4}})(?![\d/])"),
        lambda match: f"{cardinal(match.group(2))}分之{cardinal(match.group(1))}",
    ),
    (re.compile(r"(?<=\d)\s?[~～](?=\s?\d)"), lambda _: "到"),
    (
        re.compile(rf"{_EDGE}(\d{{1,4}})[-–—](\d{{1,4}})(?![\d-])"),
        lambda match: f"{number(match[1])}到{number(match[2])}",
    ),
    (re.compile(r"(?<![\d\w])[-−](?=\d)"), lambda _: "负"),
    (re.compile(r"(?<=\d)\s?[×x*](?=\s?\d)"), lambda _: "乘"),
    (re.compile(r"(?<=\d)\s?÷(?=\s?\d)"), lambda _: "除以"),
    (re.compile(r"(?<=\d)\s?\+(?=\s?\d)"), lambda _: "加"),
    (re.compile(r"(?<=\d)\s?=(?=\s?\d)"), lambda _: "等于"),
    (re.compile(rf"({_NUMBER})\s?({_alternatives(UNITS)})(?![A-Za-z/²³])"), _unit),
    (re.compile(rf"{_EDGE}(?<!第)({_NUMBER})(?=[{MEASURES}])"), _measured),
    (re.compile(rf"(?<![A-Za-z\d])({_NUMBER})(?![A-Za-z\d])"), lambda match: number(match.group(1))),
)
