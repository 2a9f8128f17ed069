"""An independent recount of the service's numbers with pandas and the standard library alone.

Written from docs/counting.md. Shares no code with mapservice/: neither its parsing nor its rules, so that a
mistake in one is seen in the other. `tests/test_recount.py` holds that nothing here imports mapservice.
"""
