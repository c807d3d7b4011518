"""Judge texts with datatrove's filters: reads a JSON list of texts, writes each filter's reason or null."""

import json
import re
import sys

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

filters = {
    "gopher_repetition": GopherRepetitionFilter(),
    "gopher_quality": GopherQualityFilter(),
    "c4": C4QualityFilter(filter_no_terminal_punct=False),
    "fineweb": FineWebQualityFilter(),
}


def reason(name, judge, text):
    if name == "fineweb":  # blank lines part paragraphs in our documents; FineWeb's extractor writes none
        text = re.sub(r"\n\s*\n", "\n", text)
    verdict = judge.filter(Document(text=text, id=""))
    return None if verdict is True else verdict[1]


print(
    json.dumps([{name: reason(name, judge, text) for name, judge in filters.items()} for text in json.load(sys.stdin)])
)
