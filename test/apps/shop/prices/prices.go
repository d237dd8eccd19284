// Prices answers what things cost: GET /?item=Espresso&item=Croissant.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// priceList is in cents.
var priceList = map[string]int{
	"Espresso":     240,
	"Cappuccino":   340,
	"Croissant":    210,
	"Orange juice": 390,
	"Cheesecake":   450,
}

type answer struct {
	Cents    map[string]int `json:"cents"`
	Currency string         `json:"currency"`
	ServedBy string         `json:"servedBy"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	servedBy := whereabouts()
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		cents := pricesOf(r.URL.Query()["item"])
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		json.NewEncoder(w).Encode(answer{Cents: cents, Currency: "EUR", ServedBy: servedBy})
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	server := &http.Server{Addr: ":" + port, Handler: mux}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	log.Printf("prices listens on port %s", port)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}

// pricesOf finds the prices of the named items, or of all if none is named. What the shop does not sell is left out.
func pricesOf(items []string) map[string]int {
	if len(items) == 0 {
		return priceList
	}
	found := map[string]int{}
	for _, item := range items {
		if cents, sold := priceList[item]; sold {
			found[item] = cents
		}
	}
	return found
}

func whereabouts() string {
	host, _ := os.Hostname()
	if _, local := os.LookupEnv("KUBERNETES_LOCAL_SESSION"); local {
		return "this computer: " + host
	}
	return host + " in the cluster"
}
