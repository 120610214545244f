// The other side of the benchmark: an admission webhook that does nothing, written the way most are.
//
// net/http, encoding/json, the AdmissionReview of k8s.io/api, and no more: the object inside stays undecoded bytes, so
// this is what any Go webhook pays before its first line of policy. HTTP/1.1 only, because on loopback the API server
// would otherwise speak HTTP/2, which it never does to a webhook behind a Service.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
)

const maxBody = 8 << 20

// A patch of the size that a real one has: limits and requests of three containers.
var patch = []byte(`[{"op":"add","path":"/spec/containers/0/resources/limits","value":{"memory":"256Mi"}},` +
	`{"op":"add","path":"/spec/containers/0/resources/requests/memory","value":"128Mi"},` +
	`{"op":"add","path":"/spec/containers/1/resources/limits","value":{"memory":"256Mi"}},` +
	`{"op":"add","path":"/spec/containers/1/resources/requests","value":{"cpu":"50m","memory":"128Mi"}},` +
	`{"op":"add","path":"/spec/containers/2/resources/limits","value":{"memory":"256Mi"}},` +
	`{"op":"add","path":"/spec/containers/2/resources/requests","value":{"cpu":"50m","memory":"128Mi"}}]`)

func answer(patch []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var review admissionv1.AdmissionReview
		if err := json.Unmarshal(body, &review); err != nil || review.Request == nil {
			http.Error(w, "not an AdmissionReview", http.StatusBadRequest)
			return
		}
		response := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if patch != nil {
			kind := admissionv1.PatchTypeJSONPatch
			response.Patch, response.PatchType = patch, &kind
		}
		out, err := json.Marshal(admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: response})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(out)
	}
}

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen; port 0 takes a free one")
	cert := flag.String("cert", "", "PEM file")
	key := flag.String("key", "", "PEM file")
	flag.Parse()

	mux := http.NewServeMux()
	mux.HandleFunc("/allow", answer(nil))
	mux.HandleFunc("/patch", answer(patch))
	server := &http.Server{
		Handler:           mux,
		IdleTimeout:       120 * time.Second,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(server.ServeTLS(listener, *cert, *key))
}
