package server

// Routes returns what is answered but the pages, as "GET /path/{id}".
func Routes() (all []string) {
	for _, r := range new(Server).routes() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}
