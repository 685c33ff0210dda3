"""Pictures of how a fit went and of what came out, drawn without pyplot's global state."""
