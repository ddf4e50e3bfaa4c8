-- A filter of a piece's words in place of an index of them, which took longer to write than all else.
-- It is read for every piece that a search passes, so it stands in its row; bodies are packed already.
alter table log_piece add column filter bytea;
alter table log_piece alter column filter set storage plain;
alter table log_piece alter column body set storage external;
-- Only pieces kept before have marks, and they go with the time that logs are kept.
alter table log_piece alter column marks set default '{}';
drop index log_piece_marks;
