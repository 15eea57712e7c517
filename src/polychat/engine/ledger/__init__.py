"""The ledger: what was asked of whom, what came of it and what it cost, one record a request, in one SQLite file.

    Entry  -> Record -> Ledger.put -> a queue -> one thread -> ledger.sqlite -> Reader
    entry    record     writer                               storage, schema    reader, statistics

A question never waits for it and never fails because of it. By default a record holds facts only: who, when, how many
tokens, how long, how it ended; words are kept where `logging.store` is "full". Nothing here is imported to show help.
"""
