import time

import debugpy


def turn(unit, count):
    total = unit * count  # conditional
    return total


host, port = debugpy.listen(("127.0.0.1", 0))
print("listening at", port, flush=True)
turns = 0
while True:
    turns += 1
    turn(7, 1 + turns % 2)
    print("turn", turns, flush=True)
    time.sleep(0.05)
