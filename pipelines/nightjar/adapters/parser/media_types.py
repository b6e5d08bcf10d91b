"""Media types by name: what the ending of a key may add to the content, and which types get a child of their own."""

from __future__ import annotations

from typing import Final

PDF: Final = "application/pdf"
HTML: Final = "text/html"
MARKDOWN: Final = "text/markdown"
PLAIN: Final = "text/plain"
JSON: Final = "application/json"
NOTEBOOK: Final = "application/x-ipynb+json"
XML: Final = "application/xml"
EMAIL: Final = "message/rfc822"
MHTML: Final = "multipart/related"
MBOX: Final = "application/mbox"
CSV: Final = "text/csv"
TSV: Final = "text/tab-separated-values"
RTF: Final = "application/rtf"
RST: Final = "text/x-rst"
ORG: Final = "text/org"
VTT: Final = "text/vtt"
TEX: Final = "text/x-tex"
ASCIIDOC: Final = "text/asciidoc"
EPUB: Final = "application/epub+zip"
MSG: Final = "application/vnd.ms-outlook"
DOC: Final = "application/msword"
PPT: Final = "application/vnd.ms-powerpoint"
XLS: Final = "application/vnd.ms-excel"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT: Final = "application/vnd.oasis.opendocument.text"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
ODP: Final = "application/vnd.oasis.opendocument.presentation"

TEXT_SUFFIXES: Final = {
    "asc": ASCIIDOC, "asciidoc": ASCIIDOC, "adoc": ASCIIDOC, "csv": CSV, "htm": HTML, "html": HTML, "xhtml": HTML,
    "ipynb": NOTEBOOK, "json": JSON, "markdown": MARKDOWN, "md": MARKDOWN, "mdx": MARKDOWN, "mbox": MBOX, "eml": EMAIL,
    "mht": MHTML, "mhtml": MHTML, "org": ORG, "rst": RST, "tab": TSV, "tex": TEX, "tsv": TSV, "vtt": VTT, "nxml": XML,
    "xml": XML, "jsonl": JSON, "ndjson": JSON,
}  # fmt: skip
CODE_SUFFIXES: Final = {
    "bash": "sh", "c": "c", "cc": "c++", "cfg": "ini", "cpp": "c++", "cs": "csharp", "css": "css", "cxx": "c++",
    "go": "go", "h": "c", "hpp": "c++", "ini": "ini", "java": "java", "jl": "julia", "js": "javascript",
    "jsx": "javascript", "kt": "kotlin", "lua": "lua", "m": "objective-c", "php": "php", "pl": "perl",
    "ps1": "powershell", "py": "python", "r": "r", "rb": "ruby", "rs": "rust", "scala": "scala",
    "sh": "sh", "sql": "sql", "swift": "swift", "toml": "toml",
    "ts": "typescript", "tsx": "typescript", "yaml": "yaml", "yml": "yaml", "zig": "zig",
}  # fmt: skip
_DECLARED: Final = {*TEXT_SUFFIXES.values()} | {"text/xml", "text/rtf"}
_CODE: Final = "text/x-source-"
_SMALL: Final = 1024 * 1024
_TAME: Final = {PLAIN, MARKDOWN, HTML, JSON, CSV, TSV, EMAIL, VTT, XML}


def code_type(language: str) -> str:
    """The media type of a source file: text/x-source-python for Python."""
    return _CODE + language


def is_code(media_type: str) -> bool:
    """True for source files, whose lines and indentation are kept."""
    return media_type.startswith(_CODE)


def text_type(*, suffix: str, declared: str) -> str:
    """What a text is by the key's ending, else by what was declared, else plain."""
    if suffix in CODE_SUFFIXES:
        return code_type(CODE_SUFFIXES[suffix])
    named = declared.partition(";")[0].strip().lower()
    return TEXT_SUFFIXES.get(suffix) or (named if named in _DECLARED and not suffix else PLAIN)


def is_risky(media_type: str, *, size: int) -> bool:
    """True for what should not share a child: large files, archives, what C libraries or other programs read."""
    return size > _SMALL or not (media_type in _TAME or is_code(media_type))
