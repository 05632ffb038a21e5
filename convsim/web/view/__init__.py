"""A page over runs and files of conversations: live, searched, compared, commented on."""

from convsim.web.view.comments import Comments
from convsim.web.view.index import Index
from convsim.web.view.sources import Sources

__all__ = ["Comments", "Index", "Sources"]
