// The gRPC health service of gRPC's own library, and a client of it. The server also answers HTTP at /health, on a port of its
// own. It prints a line for each check of a kubelet, and for the rest counts.
//
//	grpc-health serve ADDRESS GRPC_PORT HTTP_PORT
//	grpc-health check HOST:PORT CALLS
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	// Its state changes all the time, for those who watch it.
	blinking    = "blinking"
	blinkEvery  = 50 * time.Millisecond
	watched     = 10
	connections = 4
	patience    = 60 * time.Second
)

func main() {
	switch {
	case len(os.Args) == 5 && os.Args[1] == "serve":
		serve(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) == 4 && os.Args[1] == "check":
		calls, err := strconv.Atoi(os.Args[3])
		must(err)
		check(os.Args[2], calls)
	default:
		log.Fatal("use: serve ADDRESS GRPC_PORT HTTP_PORT, or check HOST:PORT CALLS")
	}
}

func serve(address, grpcPort, httpPort string) {
	state := health.NewServer()
	go func() {
		for on := true; ; on = !on {
			next := healthpb.HealthCheckResponse_NOT_SERVING
			if on {
				next = healthpb.HealthCheckResponse_SERVING
			}
			state.SetServingStatus(blinking, next)
			time.Sleep(blinkEvery)
		}
	}()
	server := grpc.NewServer(grpc.UnaryInterceptor(
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if head, ok := metadata.FromIncomingContext(ctx); ok {
				report("grpc", strings.Join(head.Get("user-agent"), " "))
			}
			return handle(ctx, request)
		}))
	healthpb.RegisterHealthServer(server, state)
	http.HandleFunc("/health", func(response http.ResponseWriter, request *http.Request) {
		report("http", request.UserAgent())
		fmt.Fprintln(response, "well")
	})
	web, err := net.Listen("tcp", net.JoinHostPort(address, httpPort))
	must(err)
	rpc, err := net.Listen("tcp", net.JoinHostPort(address, grpcPort))
	must(err)
	line(map[string]any{"grpc": rpc.Addr().(*net.TCPAddr).Port, "http": web.Addr().(*net.TCPAddr).Port})
	go func() { must(http.Serve(web, nil)) }()
	must(server.Serve(rpc))
}

func report(protocol, agent string) {
	if strings.HasPrefix(agent, "kube-probe/") {
		line(map[string]any{"probe": protocol})
	}
}

func check(target string, calls int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all sync.WaitGroup
	for range connections {
		connection, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(insecure.NewCredentials()))
		must(err)
		client := healthpb.NewHealthClient(connection)
		for range calls / connections {
			all.Go(func() {
				answer, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
				must(err)
				if answer.Status != healthpb.HealthCheckResponse_SERVING {
					log.Fatalf("it is %v", answer.Status)
				}
			})
		}
		all.Go(func() { watch(ctx, client) })
		all.Go(func() {
			_, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: "nobody"})
			if status.Code(err) != codes.NotFound {
				log.Fatalf("an unknown service is %v", err)
			}
		})
	}
	all.Wait()
	line(map[string]any{"calls": calls, "streams": connections, "states seen": watched * connections})
}

// A stream from the server: each state differs from the one before.
func watch(ctx context.Context, client healthpb.HealthClient) {
	stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{Service: blinking})
	must(err)
	last := healthpb.HealthCheckResponse_UNKNOWN
	for range watched {
		next, err := stream.Recv()
		must(err)
		if next.Status == last {
			log.Fatalf("%v again", last)
		}
		last = next.Status
	}
}

func line(values map[string]any) {
	text, err := json.Marshal(values)
	must(err)
	fmt.Println(string(text))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
