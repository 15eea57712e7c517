"""Configs of other programs made into polychat's: text in, a table of settings and what could not be mapped out. Pure.

    document    YAML as plain values, with the line of each
    mapped      what comes out, and the TOML it is written as
    hosts       the services that others name, and what they are called here
    g4f         gpt4free's config.yaml
    litellm     LiteLLM's config.yaml

A key that is written out is never copied, and no value of the file is repeated in what is said about it.
"""
