"""Bytes to elements in killable child processes: unstructured, pypdfium2 and the tools they call.

Nothing of those libraries is loaded by the process that imports this package; a zygote (`zygote.py`) loads them once
and forks children from itself, which alone touch a document's bytes.
"""

from nightjar.adapters.parser.pool import UnstructuredParser
from nightjar.adapters.parser.tools import ParserTool, parser_tools

__all__ = ["ParserTool", "UnstructuredParser", "parser_tools"]
