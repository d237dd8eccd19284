import os
import sys


def price(item, count):
    unit = {"tea": 3, "cup": 7}[item]
    total = unit * count
    return total


def main():
    basket = [("tea", 1), ("cup", 2), ("tea", 5)]
    paid = 0
    for item, count in basket:
        paid += price(item, count)
    print("paid", paid, os.environ.get("GREETING", "nothing"))
    sys.stdout.flush()
    try:
        price("spoon", 1)
    except KeyError as error:
        print("caught", error)
    return paid


if __name__ == "__main__":
    main()
