package main

import (
	"fmt"
	"time"
)

func turn(unit int, count int) int {
	total := unit * count // conditional
	return total
}

func main() {
	for turns := 1; ; turns++ {
		turn(7, 1+turns%2)
		fmt.Println("turn", turns)
		time.Sleep(50 * time.Millisecond)
	}
}
