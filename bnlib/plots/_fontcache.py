"""Keep matplotlib's first-run notice about its font cache out of a notebook's stderr."""

import logging


def _is_no_cache_notice(record: logging.LogRecord) -> bool:
    """Pass every record but "Matplotlib is building the font cache", which is no problem at all."""
    return "building the font cache" not in record.getMessage()


def quiet_font_cache() -> None:
    """Filter that one notice; must run before ``matplotlib.font_manager`` is first imported."""
    logging.getLogger("matplotlib.font_manager").addFilter(_is_no_cache_notice)


quiet_font_cache()
