import os
import time

secret = os.environ.get("SECRET", "none")
greeting = os.environ.get("GREETING", "nobody")
print("Greeting", greeting, flush=True)
if os.environ.get("STAY"):
    while True:
        time.sleep(0.05)
