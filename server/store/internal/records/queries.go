package records

const versionSelect = `SELECT version FROM schema_version`

// The columns of a share, in scanShare's order.
const columns = `id, access, reader, owner, state, password, part_size, size, parts, created, completed, expires, lifetime,
	max_downloads, taken`

// Statements of one operation, in the order of a batch.
const (
	// Create. An expired share that no sweep has come by yet must not answer for its owner, nor keep the place of the new one.
	// The insert gives way to an earlier share of the same owner, changing nothing, and answers that; it fails if the id is taken.
	// That is one statement, since it is about two shares, of which only one is kept from changing meanwhile.
	createExpire = `UPDATE shares SET state = 'removed' WHERE owner = $1 AND state <> 'removed' AND expires <= $2`
	createInsert = `INSERT INTO shares (` + columns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (owner) WHERE state <> 'removed' DO UPDATE SET owner = excluded.owner RETURNING ` + columns

	shareSelect = `SELECT ` + columns + ` FROM shares WHERE id = $1 AND state <> 'removed' AND expires > $2`

	// AddPart. The primary key decides between racing parts. The expiry moves only when that is worth a write: by more than a
	// 24th of what is left, an hour of a day. The select tells no share, no part, and the part that counts apart.
	//
	// The bytes are counted first, of a part that will be inserted and if all stay within the most there may be; then it is inserted if
	// this very call, which has a random name, was the last to count. The one row of usage makes adding parts wait for each other.
	//
	// What is reserved was counted then: it becomes a part without being counted again, and stands in the way of one with another digest.
	partReserved = `EXISTS (SELECT 1 FROM reservations r WHERE r.share = $1 AND r.n = $2 AND r.digest = $3 AND r.size = $4)`
	partCount    = `UPDATE usage SET bytes = CASE WHEN ` + partReserved + ` THEN bytes ELSE bytes + $4 END, last = $5
		WHERE (CAST($6 AS BIGINT) = 0 OR bytes + $4 <= $6 OR ` + partReserved + `)
		AND EXISTS (SELECT 1 FROM shares WHERE id = $1 AND state = 'open' AND expires > $7)
		AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.share = $1 AND p.n = $2)
		AND (` + partReserved + ` OR NOT EXISTS (SELECT 1 FROM reservations r WHERE r.share = $1 AND r.n = $2))`
	partInsert = `INSERT INTO parts (share, n, size, digest)
		SELECT id, $1, $2, $3 FROM shares WHERE id = $4 AND state = 'open' AND expires > $5
		AND EXISTS (SELECT 1 FROM usage WHERE last = $6) ON CONFLICT DO NOTHING`
	partRedeem = `DELETE FROM reservations WHERE share = $1 AND n = $2
		AND EXISTS (SELECT 1 FROM parts p WHERE p.share = $1 AND p.n = $2)`
	partPostpone = `UPDATE shares SET expires = $1
		WHERE id = $2 AND state = 'open' AND expires > $3 AND $1 - expires > ($1 - $3) / 24`
	partResult = `SELECT s.state, p.size, p.digest, r.size AS reserved_size, r.digest AS reserved_digest FROM shares s
		LEFT JOIN parts p ON p.share = s.id AND p.n = $1 LEFT JOIN reservations r ON r.share = s.id AND r.n = $1
		WHERE s.id = $2 AND s.state <> 'removed' AND s.expires > $3`

	// ReservePart counts and inserts as AddPart does, and tells what there is in the same way. If that is the same part, it is prolonged,
	// and its share knows until when bytes may come, whatever becomes of the reservation.
	reserveCount = `UPDATE usage SET bytes = bytes + $1, last = $2 WHERE (CAST($3 AS BIGINT) = 0 OR bytes + $1 <= $3)
		AND EXISTS (SELECT 1 FROM shares WHERE id = $4 AND state = 'open' AND expires > $5)
		AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.share = $4 AND p.n = $6)
		AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.share = $4 AND r.n = $6)`
	reserveInsert = `INSERT INTO reservations (share, n, size, digest, ends)
		SELECT id, $1, $2, $3, $4 FROM shares WHERE id = $5 AND state = 'open' AND expires > $6
		AND EXISTS (SELECT 1 FROM usage WHERE last = $7) ON CONFLICT DO NOTHING`
	reserveProlong = `UPDATE reservations SET ends = $1 WHERE share = $2 AND n = $3 AND size = $4 AND digest = $5 AND ends < $1
		AND EXISTS (SELECT 1 FROM shares WHERE id = $2 AND state = 'open' AND expires > $6)`
	reserveNote = `UPDATE shares SET puts_end = $1 WHERE id = $2 AND state = 'open' AND expires > $3 AND puts_end < $1
		AND EXISTS (SELECT 1 FROM reservations r WHERE r.share = $2 AND r.n = $4 AND r.size = $5 AND r.digest = $6)`

	// RunOut and ReleasePart. The order is random for the same reason as Doomed's.
	runOutSelect = `SELECT r.share, r.n, r.size, r.digest FROM reservations r JOIN shares s ON s.id = r.share
		WHERE r.ends <= $1 AND s.state <> 'removed' AND s.expires > $1 ORDER BY RANDOM() LIMIT $2`
	releasable = ` FROM reservations WHERE size = $1 AND share = $2 AND n = $3 AND digest = $4 AND ends <= $5
		AND EXISTS (SELECT 1 FROM shares s WHERE s.id = $2 AND s.state <> 'removed')`
	releaseCount  = `UPDATE usage SET bytes = bytes - $1 WHERE EXISTS (SELECT 1` + releasable + `)`
	releaseDelete = `DELETE` + releasable

	reservationSelect = `SELECT size, digest FROM reservations WHERE share = $1 AND n = $2`

	partSelect  = `SELECT size, digest FROM parts WHERE share = $1 AND n = $2`
	partsSelect = `SELECT n, size, digest FROM parts WHERE share = $1 ORDER BY n`
	partsCount  = `SELECT COUNT(*) FROM parts WHERE share = $1 AND n > 0`

	// Complete: one statement checks and changes. Parts are 1 … $2 if there are $2 and none is above; all but the last are
	// full; the sum is right, so the last one is too. shareSelect then tells what has become of it.
	completeUpdate = `UPDATE shares SET state = 'ready', size = $1, parts = $2, completed = $3, expires = $3 + lifetime
		WHERE id = $4 AND state = 'open' AND expires > $3
		AND $2 > 0 AND $1 > ($2 - 1) * part_size AND $1 <= $2 * part_size
		AND EXISTS (SELECT 1 FROM parts p WHERE p.share = $4 AND p.n = 0)
		AND $2 = (SELECT COUNT(*) FROM parts p WHERE p.share = $4 AND p.n > 0
			AND p.n <= $2 AND (p.n = $2 OR p.size = shares.part_size))
		AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.share = $4 AND p.n > $2)
		AND $1 = (SELECT COALESCE(SUM(p.size), 0) FROM parts p WHERE p.share = $4 AND p.n > 0)`

	// TakeDownload. The update counts a ticket that is new, as long as there is room; the insert writes down the one that was
	// just counted, or renews the lease of one that is known. A ticket is in the table exactly if it was counted.
	takeCount = `UPDATE shares SET taken = taken + 1, last_ticket = $1
		WHERE id = $2 AND state <> 'removed' AND expires > $3 AND (max_downloads = 0 OR taken < max_downloads)
		AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.share = $2 AND t.ticket = $1)`
	takeInsert = `INSERT INTO tickets (share, ticket, used)
		SELECT id, $1, $2 FROM shares WHERE id = $3 AND state <> 'removed' AND expires > $2
		AND (last_ticket = $1 OR EXISTS (SELECT 1 FROM tickets t WHERE t.share = $3 AND t.ticket = $1))
		ON CONFLICT (share, ticket) DO UPDATE SET used = excluded.used`
	takeResult = `SELECT ` + columns + `, EXISTS (SELECT 1 FROM tickets t WHERE t.share = $1 AND t.ticket = $2)
		FROM shares WHERE id = $1 AND state <> 'removed' AND expires > $3`

	ticketSelect = `SELECT ` + columns + `, (SELECT used FROM tickets t WHERE t.share = $1 AND t.ticket = $2 AND t.used <> 0)
		FROM shares WHERE id = $1 AND state <> 'removed' AND expires > $3`
	ticketUse = `UPDATE tickets SET used = $1 WHERE share = $2 AND ticket = $3 AND used <> 0 AND used < $1`

	finishUpdate = `UPDATE tickets SET used = 0 WHERE ticket = $1 AND share IN
		(SELECT id FROM shares WHERE id = $2 AND state <> 'removed' AND expires > $3)`
	finishKnown = `EXISTS (SELECT 1 FROM tickets t WHERE t.share = $1 AND t.ticket = $2)`
	finishSpent = `state = 'ready' AND max_downloads > 0 AND taken >= max_downloads
		AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.share = $1 AND t.used <> 0 AND t.used >= $3)`
	finishResult = `SELECT ` + finishKnown + `, ` + finishSpent + `
		FROM shares WHERE id = $1 AND state <> 'removed' AND expires > $4`
	finishRemove = `UPDATE shares SET state = 'removed'
		WHERE ` + finishKnown + ` AND ` + finishSpent + ` AND id = $1 AND expires > $4`

	update = `UPDATE shares SET
		expires = CASE WHEN state = 'ready' THEN completed + COALESCE(CAST($1 AS BIGINT), lifetime) ELSE expires END,
		lifetime = COALESCE(CAST($1 AS BIGINT), lifetime), max_downloads = COALESCE(CAST($2 AS BIGINT), max_downloads)
		WHERE id = $3 AND state <> 'removed' AND expires > $4 RETURNING ` + columns

	// The budget is one number: when it is full again. A wrong try moves that by Refill ($3) into the future, but never further
	// than Burst tries ($2 seconds) from now ($1). What lies further is of a clock that was set back since: nobody waits for it.
	triesFull = `CASE WHEN tries_full > $1 AND tries_full <= $1 + $2 THEN tries_full ELSE $1 END`
	tryFits   = ` WHERE ` + triesFull + ` + $3 <= $1 + $2 AND id = $4 AND state <> 'removed' AND expires > $1`
	tryWrong  = `UPDATE shares SET tries_full = ` + triesFull + ` + $3` + tryFits + ` RETURNING tries_full`
	tryRight  = `SELECT ` + triesFull + ` FROM shares` + tryFits
	tryNone   = `SELECT ` + triesFull + ` FROM shares WHERE id = $3 AND state <> 'removed' AND expires > $1`

	remove = `UPDATE shares SET state = 'removed' WHERE id = $1 AND state <> 'removed' AND expires > $2 RETURNING id`

	// Doomed. Two updates, because each has an index of its own. The order is random so that shares whose bytes cannot be
	// deleted for now never stand in the way of the others; those that have to wait to be purged again are not among them.
	doomExpired = `UPDATE shares SET state = 'removed' WHERE state <> 'removed' AND expires <= $1`
	doomSpent   = `UPDATE shares SET state = 'removed' WHERE state = 'ready' AND max_downloads > 0 AND taken >= max_downloads
		AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.share = shares.id AND t.used <> 0 AND t.used >= $1)`
	doomTickets = `DELETE FROM tickets WHERE (used = 0 OR used < $1) AND share IN
		(SELECT id FROM shares WHERE max_downloads = 0)`
	doomSelect   = `SELECT id FROM shares WHERE state = 'removed' AND purge_at <= $1 ORDER BY RANDOM() LIMIT $2`
	doomUnmarked = `SELECT id FROM shares WHERE state = 'removed' AND purge_at <= $1 OR state <> 'removed' AND expires <= $1
		ORDER BY RANDOM() LIMIT $2`

	usageSelect = `SELECT bytes FROM usage`

	// Forget. Parts, reservations and tickets go with the share, and its bytes off the usage first: once, as two who forget a share wait for
	// each other. A share to which bytes may still come waits, and all of its own count.
	forgetLater = `UPDATE shares SET purge_at = puts_end WHERE id = $1 AND state = 'removed' AND puts_end > $2 AND purge_at <> puts_end`
	forgetCount = `UPDATE usage SET bytes = bytes - (SELECT COALESCE(SUM(p.size), 0) FROM parts p WHERE p.share = $1)
			- (SELECT COALESCE(SUM(r.size), 0) FROM reservations r WHERE r.share = $1)
		WHERE EXISTS (SELECT 1 FROM shares WHERE id = $1 AND state = 'removed' AND puts_end <= $2)`
	forget = `DELETE FROM shares WHERE id = $1 AND state = 'removed' AND puts_end <= $2`

	// Charge. One statement counts or does not; what there is then tells which limit it was.
	saltSelect = `SELECT salt FROM salts WHERE day = $1`
	saltInsert = `INSERT INTO salts (day, salt) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	charge     = `INSERT INTO charges (day, client, shares, bytes)
		SELECT day, $1, $2, $3 FROM salts WHERE day = $4 AND CAST($2 AS BIGINT) <= CAST($5 AS BIGINT) AND CAST($3 AS BIGINT) <= CAST($6 AS BIGINT)
		ON CONFLICT (day, client) DO UPDATE SET shares = charges.shares + $2, bytes = charges.bytes + $3
		WHERE charges.shares + $2 <= $5 AND charges.bytes + $3 <= $6 RETURNING shares`
	chargeResult = `SELECT shares FROM charges WHERE day = $1 AND client = $2`
	chargesDrop  = `DELETE FROM charges WHERE day < $1`
	saltsDrop    = `DELETE FROM salts WHERE day < $1 RETURNING day`

	// AddReport. The insert gives way to the same report, which the result then finds; else that tells whether it is the limit of
	// the share that was reached.
	reportInsert = `INSERT INTO reports (id, share, received, digest, sealed)
		SELECT $1, id, $2, $3, $4 FROM shares WHERE id = $5 AND state = 'ready' AND expires > $2
		AND (SELECT COUNT(*) FROM reports r WHERE r.share = $5) < $6 AND (SELECT COUNT(*) FROM reports) < $7
		ON CONFLICT DO NOTHING`
	// Where there are too many, the oldest of shares that are gone make room, as many as it takes, if the insert that follows will need it.
	reportLive  = `EXISTS (SELECT 1 FROM shares s WHERE s.id = r.share AND s.state <> 'removed' AND s.expires > $1)`
	reportYield = `DELETE FROM reports WHERE id IN (SELECT r.id FROM reports r WHERE NOT ` + reportLive + ` ORDER BY r.received, r.id
			LIMIT (SELECT CASE WHEN COUNT(*) < $2 THEN 0 ELSE COUNT(*) - $2 + 1 END FROM reports))
		AND (SELECT COUNT(*) FROM reports r WHERE ` + reportLive + `) < $2
		AND EXISTS (SELECT 1 FROM shares s WHERE s.id = $3 AND s.state = 'ready' AND s.expires > $1)
		AND (SELECT COUNT(*) FROM reports r WHERE r.share = $3) < $4
		AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.share = $3 AND r.digest = $5)`
	reportResult = `SELECT EXISTS (SELECT 1 FROM reports r WHERE r.share = $1 AND r.digest = $2),
		(SELECT COUNT(*) FROM reports r WHERE r.share = $1) < $3
		FROM shares WHERE id = $1 AND state = 'ready' AND expires > $4`
	reportsSelect = `SELECT id, share, received, sealed FROM reports
		WHERE received > $1 OR received = $1 AND id > $2 ORDER BY received, id LIMIT $3`
	reportsDrop = `DELETE FROM reports WHERE received < $1 RETURNING id`

	// Record and Records.
	recordColumns = columns + `,
		(SELECT COUNT(*) FROM parts p WHERE p.share = shares.id AND p.n > 0),
		(SELECT CAST(COALESCE(SUM(p.size), 0) AS BIGINT) FROM parts p WHERE p.share = shares.id),
		(SELECT COUNT(*) FROM tickets t WHERE t.share = shares.id),
		(SELECT COUNT(*) FROM tickets t WHERE t.share = shares.id AND t.used <> 0),
		(SELECT COUNT(*) FROM reports r WHERE r.share = shares.id)`
	recordSelect  = `SELECT ` + recordColumns + ` FROM shares WHERE id = $1`
	recordsSelect = `SELECT ` + recordColumns + ` FROM shares WHERE id > $1 ORDER BY id LIMIT $2`

	markSelect = `SELECT mark FROM marks`
	markInsert = `INSERT INTO marks (n, mark) VALUES (1, $1) ON CONFLICT DO NOTHING`

	totalsSelect = `SELECT COUNT(CASE WHEN state = 'open' AND expires > $1 THEN 1 END),
		COUNT(CASE WHEN state = 'ready' AND expires > $1 THEN 1 END),
		COUNT(CASE WHEN state = 'removed' OR expires <= $1 THEN 1 END),
		(SELECT CAST(COALESCE(SUM(p.size), 0) AS BIGINT) FROM parts p)
			+ (SELECT CAST(COALESCE(SUM(r.size), 0) AS BIGINT) FROM reservations r),
		(SELECT COUNT(*) FROM reports r) FROM shares`
)
