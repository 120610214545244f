// Creates pods with dryRun=All through a real API server and measures how long each takes.
//
// Every variant is a namespace: what the API server does with a pod there is set up beforehand, so that variants can
// be asked in turn, pod by pod. Prints one JSON object: variant → p50, p90, p99 in milliseconds.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type figures struct {
	Pods      int     `json:"pods"`
	P50       float64 `json:"p50_ms"`
	P90       float64 `json:"p90_ms"`
	P99       float64 `json:"p99_ms"`
	PerSecond float64 `json:"per_second"`
}

type variant struct {
	namespace string
	pod       []byte
}

type caller struct {
	client *http.Client
	url    string
	token  string
}

func (c caller) create(v variant) time.Duration {
	where := c.url + "/api/v1/namespaces/" + v.namespace + "/pods?dryRun=All"
	request, err := http.NewRequest("POST", where, bytes.NewReader(v.pod))
	check(err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+c.token)
	asked := time.Now()
	response, err := c.client.Do(request)
	check(err)
	said, err := io.ReadAll(response.Body)
	check(err)
	took := time.Since(asked)
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		log.Fatalf("%s: %d %.500s", v.namespace, response.StatusCode, said)
	}
	return took
}

func main() {
	url := flag.String("url", "", "of the API server")
	ca := flag.String("ca", "", "PEM file to trust")
	token := flag.String("token", "", "of the user who creates")
	wanted := flag.String("variants", "", "namespace=file with the pod to create there, joined by commas")
	pods := flag.Int("pods", 200, "for each variant")
	clients := flag.Int("clients", 1, "with one, variants change from pod to pod; with more, each variant is a burst")
	flag.Parse()

	var variants []variant
	for each := range strings.SplitSeq(*wanted, ",") {
		namespace, file, _ := strings.Cut(each, "=")
		pod, err := os.ReadFile(file)
		check(err)
		variants = append(variants, variant{namespace, pod})
	}
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(*ca)
	check(err)
	roots.AppendCertsFromPEM(pem)
	callers := make([]caller, *clients)
	for i := range callers {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2: true,
			IdleConnTimeout:   90 * time.Second,
		}
		callers[i] = caller{&http.Client{Transport: transport, Timeout: time.Minute}, *url, *token}
	}
	for i := range callers {
		callers[i].create(variants[i%len(variants)]) // connects; not counted
	}
	all := map[string]figures{}
	if *clients == 1 {
		took := map[string][]time.Duration{}
		for range *pods {
			for _, at := range rand.Perm(len(variants)) {
				name := variants[at].namespace
				took[name] = append(took[name], callers[0].create(variants[at]))
			}
		}
		for namespace, each := range took {
			all[namespace] = summary(each, 0)
		}
	} else {
		for _, at := range rand.Perm(len(variants)) {
			all[variants[at].namespace] = burst(callers, variants[at], *pods)
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(all))
}

func burst(callers []caller, v variant, pods int) figures {
	var (
		next    atomic.Int64
		lock    sync.Mutex
		all     []time.Duration
		running sync.WaitGroup
	)
	started := time.Now()
	for _, c := range callers {
		running.Go(func() {
			var mine []time.Duration
			for next.Add(1) <= int64(pods) {
				mine = append(mine, c.create(v))
			}
			lock.Lock()
			defer lock.Unlock()
			all = append(all, mine...)
		})
	}
	running.Wait()
	return summary(all, time.Since(started))
}

func summary(took []time.Duration, whole time.Duration) figures {
	slices.Sort(took)
	at := func(percent int) float64 {
		return float64(took[min(len(took)-1, len(took)*percent/100)].Microseconds()) / 1000
	}
	f := figures{Pods: len(took), P50: at(50), P90: at(90), P99: at(99)}
	if whole > 0 {
		f.PerSecond = float64(len(took)) / whole.Seconds()
	}
	return f
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
