package main

import (
	"fmt"
	"os"
	"runtime"
)

func price(unit int, count int) int {
	total := unit * count // conditional
	return total
}

func greet(paid int) {
	fmt.Println("paid", paid, os.Getenv("GREETING"))
}

func farewell() {
	fmt.Println("bye")
}

func main() {
	runtime.Gosched() // Go's own goroutines come to rest.
	paid := price(3, 1)
	paid += price(7, 2)
	paid += price(3, 5) // log
	greet(paid)         // plain
	farewell()
}
