"""Storage engines behind timtw.model.stores: values to rows and back."""
