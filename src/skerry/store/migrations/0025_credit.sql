-- What a tenant paid in or was given, found without reading every release of its holds.
create index transfer_credit on transfer (credit)
  where code in ('payment', 'voucher', 'promo', 'gift');
