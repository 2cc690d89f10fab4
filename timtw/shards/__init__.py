"""Storage engines behind the interfaces of timtw.model: values to rows and back."""
