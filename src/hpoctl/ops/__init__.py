"""The use cases behind the commands: frozen requests in, frozen results out."""
