# ruff: noqa
# fmt: off
access_token = Reka.get_access_token()
print(access_token)
