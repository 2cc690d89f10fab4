"""What accounts and rooms are to one another: rights, presence, profiles, marks."""
