"""From files to growth profiles: register, reading, vault, panel, profile."""
