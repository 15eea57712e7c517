# ruff: noqa
# fmt: off
image_url = Reka.upload_image(access_token="your_access_token", image=b"your_image_data")
print(image_url)
