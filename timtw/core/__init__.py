"""Sessions, accounts, posting, feeds: values in, values out, no wire and no storage."""
