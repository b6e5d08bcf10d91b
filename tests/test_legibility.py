# ruff: noqa: RUF001 - the alphabets are what is tested
from typing import Final

import pytest

from nightjar.legibility import mojibake_share, replacement_share

CRITICAL: Final = 0.01  # as expectations/documents.json

GERMAN = "Die Größe der Straße hängt übrigens von der Höhe ab, und für Gäste ist natürlich alles schön geräumig. " * 3
FRENCH = "L'été dernier, « ENCHANTÉ… » disait-il ; l'ÉTÉ\xa0! À côté, la forêt brûlait déjà : où était le garçon ? " * 3
VIETNAMESE = (
    "“Thế à…” Tôi đã đọc quyển sách này nhiều lần rồi, và vẫn thấy hay. Được không ạ? Ừ, tất nhiên là được. " * 3
)
CHINESE = "敏捷的棕色狐狸跳过了懒狗。今天天气很好，我们去公园散步吧！「你好」，他说：“再见”。" * 5
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. «Хорошо», — сказал он. " * 4
ICELANDIC = "Það er ágætt að sjá þig aftur, sagði hún og brosti við öllum sem þar voru á ferð. " * 4
PORTUGUESE = "NÃO HÁ «IRMû. A ação começou de manhã; não há razão para preocupações, diz a mãe. " * 4
CODE = "for (int i = 0; i < n; ++i) { a[i] ^= 0xFF & ~b[i]; }  // ±§°²³ «x» ½\n" * 5
MARKDOWN = "| a | b |\n|---|---|\n| ÷ | × |\n| 3 × 4 | ≈ 12 |\n" * 9


@pytest.mark.parametrize(
    "text", [GERMAN, FRENCH, VIETNAMESE, CHINESE, RUSSIAN, ICELANDIC, PORTUGUESE, CODE, MARKDOWN, "", "É…", "Ã©"]
)
def test_good_texts_are_legible(text: str) -> None:
    assert mojibake_share(text) < CRITICAL / 5


@pytest.mark.parametrize("text", [GERMAN, FRENCH, VIETNAMESE, CHINESE, RUSSIAN, ICELANDIC, PORTUGUESE])
def test_utf8_read_as_latin1_is_seen(text: str) -> None:
    assert mojibake_share(text.encode().decode("latin-1")) > CRITICAL


@pytest.mark.parametrize("text", [GERMAN, FRENCH, RUSSIAN, CHINESE])
def test_utf8_read_as_windows_1252_is_seen(text: str) -> None:
    assert mojibake_share(text.encode().decode("cp1252", "replace")) > CRITICAL


@pytest.mark.parametrize(("text", "encoding"), [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (CHINESE, "gb18030")])
def test_another_alphabet_read_as_latin1_is_seen(text: str, encoding: str) -> None:
    assert mojibake_share(text.encode(encoding, "replace").decode("latin-1")) > CRITICAL


def test_replacement_characters_and_controls_are_counted() -> None:
    assert replacement_share("ab\ufffd\x00") == pytest.approx(0.5)


def test_line_ends_and_tabs_are_no_damage() -> None:
    assert replacement_share("a\tb\r\n\x0c\x85") == 0


def test_no_text_has_no_damage() -> None:
    assert replacement_share("") == 0
