"""What every engine with tables does alike: schema, statements, operations."""
