"""Storage engines behind the interfaces of timtw.model.stores: values to rows and back."""
