-- redeem_coupon is one statement's work, so that the last use of a coupon goes to one order; otherwise SH005.
CREATE FUNCTION redeem_coupon(target bigint, wanted_code text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    off int;
BEGIN
    UPDATE coupons SET uses_left = uses_left - 1
        WHERE code = upper(wanted_code) AND uses_left > 0 AND valid_until > now() RETURNING percent INTO off;
    IF off IS NULL THEN
        RAISE EXCEPTION 'coupon % is not valid', wanted_code USING ERRCODE = 'SH005';
    END IF;
    UPDATE orders SET coupon = upper(wanted_code), discount_percent = off
        WHERE id = target AND status = 'open' AND coupon IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'order % takes no coupon', target USING ERRCODE = 'SH005';
    END IF;
    RETURN off;
END $$;
