import os


def price(unit, count):
    total = unit * count  # conditional
    return total


def greet(paid):
    print("paid", paid, os.environ.get("GREETING", "nothing"), flush=True)


def farewell():
    print("bye", flush=True)


def main():
    paid = price(3, 1)
    paid += price(7, 2)
    paid += price(3, 5)  # log
    greet(paid)  # plain
    farewell()
    try:
        raise KeyError("spoon")
    except KeyError as error:
        print("caught", error, flush=True)


main()
