-- name: intents
-- What a flow was told and has not taken yet.
select intents from flow where uid = $1
