"""`GET /brand.css`: the colours of an application, as its `Brand` says them."""

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.origins import FOR_STYLES


class BrandStyles(BaseHandler):
    """`/brand.css`: the same for everybody."""

    access = Access.PUBLIC
    has_session = False
    destinations = FOR_STYLES

    def get(self) -> None:
        brand = self.application.additions.brand
        is_named = self.get_query_argument("v", "") == brand.styles_version
        self.set_header("Cache-Control", f"public, max-age={86_400 if is_named else 0}")
        self.set_header("Content-Type", "text/css; charset=UTF-8")
        self.finish(brand.styles_for(self.get_query_argument("theme", "")))
