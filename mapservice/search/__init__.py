"""Find places and services by name, key, postcode and everyday words, typos included.

What everybody may see (places, services of the catalogue) is found by PostgreSQL in the table
`search_term`, which the commands that change places or services keep (terms.py). Everyday words and
services of one's own are few; they are matched in the process (words.py, memory.py), from rows that the
database gives to the audience.
"""
