"""Characters that nobody declared."""

from __future__ import annotations

import pytest

from nightjar.adapters.parser.charset import decode

WESTERN = (
    "Price: £5",
    "“soup” 5€",
    "Café crème",
    "Año nuevo, niño",
    "Größe und Maß",
    "25 °C",
    "naïve,café",
    "Vous êtes créée d’été, où l’œuvre est là",  # noqa: RUF001 - as people type it
    "Não há opções para São Paulo",
    "Smørrebrød på æble",
    "Tämä on pöytä, sää",
)
OTHERS = (
    ("cp1251", "Привет, мир. Это текст о жизни в большом городе."),  # noqa: RUF001
    ("shift_jis", "これは日本語のテキストです。"),
    ("gb18030", "你好世界，这是中文文本。"),  # noqa: RUF001
    ("cp1253", "Καλημέρα κόσμε, αυτό είναι κείμενο"),
    ("cp1250", "Zażółć gęślą jaźń. Był to długi dzień w mieście."),
    ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy"),
    ("cp1250", "Az erdő szélén állt egy ház, amely mögött hegyek"),
    ("cp874", "สวัสดีชาวโลก นี่คือข้อความ"),
    ("euc_kr", "안녕하세요 세계"),
)


@pytest.mark.parametrize("more", ["", " and plain words after it." * 40], ids=["alone", "in a page"])
@pytest.mark.parametrize("text", WESTERN)
def test_a_few_western_letters_are_not_taken_for_another_charset(text: str, more: str) -> None:
    assert decode((text + more).encode("cp1252")) == (text + more, "cp1252")


@pytest.mark.parametrize(("charset", "text"), OTHERS)
def test_other_charsets_are_not_taken_for_the_western_one(charset: str, text: str) -> None:
    assert decode(text.encode(charset))[0] == text
