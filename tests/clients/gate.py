"""Sends with the providers' own clients, as they are, through the gate: gate.py PART GATE UPSTREAM ANN GONE.

Ann may be written to; Gone has said stop.
"""

import sys

PART, GATE, UPSTREAM, ANN, GONE = sys.argv[1:]
SENDER = "+18335550100"


def refusal(send, kind):
    """The error that a call must end with."""
    try:
        answer = send()
    except kind as error:
        return error
    raise AssertionError(f"it was sent: {answer}")


def twilio():
    from twilio.base.exceptions import TwilioRestException
    from twilio.rest import Client

    client = Client("AC" + "a" * 32, "TOKEN_OF_TWILIO")
    client.api.base_url = GATE

    def send(to, **more):
        return client.messages.create(to=to, from_=SENDER, body="Hi", **more)

    assert send(ANN, message_intent="notifications").sid == "SM1"
    error = refusal(lambda: send(GONE, message_intent="notifications"), TwilioRestException)
    assert (error.status, error.code) == (400, 21610), error
    # Nobody has agreed to marketing.
    assert refusal(lambda: send(ANN), TwilioRestException).code in (21610, 30610)
    on_whatsapp = lambda: client.messages.create(
        to="whatsapp:" + GONE, from_="whatsapp:" + SENDER, body="Hi"
    )
    assert refusal(on_whatsapp, TwilioRestException).code == 63014


def telnyx():
    import telnyx

    client = telnyx.Telnyx(api_key="KEY_OF_TELNYX", base_url=GATE + "/v2")

    def send(to, **more):
        headers = {"X-Consentry-Category": "utility"}
        return client.messages.send(to=to, from_=SENDER, text="Hi", extra_headers=headers, **more)

    assert send(ANN, extra_query=None, idempotency_key="once").data.id == "1"
    error = refusal(lambda: send(GONE), telnyx.ConflictError)
    assert error.body["errors"][0]["code"] == "40300", error.body
    # The client has not tried again by itself.
    assert error.request.headers["x-stainless-retry-count"] == "0"


def aws_client(endpoint, **config):
    import boto3
    from botocore.config import Config

    return boto3.client(
        "pinpoint-sms-voice-v2",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="SECRET_OF_AWS",
        config=Config(**config),
    )


def aws_sends(client):
    def send(to):
        return client.send_text_message(
            DestinationPhoneNumber=to,
            OriginationIdentity=SENDER,
            MessageBody="Hi",
            MessageType="TRANSACTIONAL",
        )

    assert send(ANN)["MessageId"] == "1"
    error = refusal(lambda: send(GONE), client.exceptions.ConflictException)
    assert error.response["Reason"] == "DESTINATION_PHONE_NUMBER_OPTED_OUT", error.response
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 0
    return send


def aws():
    client = aws_client(GATE)
    send = aws_sends(client)

    def numbers(**more):
        pages = client.get_paginator("describe_opted_out_numbers")
        pages = pages.paginate(OptOutListName="Default", **more)
        return {entry["OptedOutNumber"]: entry for page in pages for entry in page["OptedOutNumbers"]}

    entry = {"OptOutListName": "Default", "OptedOutNumber": ANN}
    put = client.put_opted_out_number(**entry)
    assert put["EndUserOptedOut"] is False and put["OptedOutTimestamp"].year > 2025, put
    assert set(numbers(PaginationConfig={"PageSize": 1})) == {ANN, GONE}
    assert numbers(OptedOutNumbers=[GONE])[GONE]["EndUserOptedOut"] is True
    refusal(lambda: send(ANN), client.exceptions.ConflictException)
    client.delete_opted_out_number(**entry)
    assert set(numbers()) == {GONE}
    refusal(lambda: client.delete_opted_out_number(**entry), client.exceptions.ResourceNotFoundException)
    entry["OptedOutNumber"] = GONE
    error = refusal(
        lambda: client.delete_opted_out_number(**entry), client.exceptions.ValidationException
    )
    assert error.response["Reason"] == "PHONE_NUMBER_CANNOT_BE_OPTED_IN", error.response


def aws_proxy():
    aws_sends(aws_client(UPSTREAM, proxies={"http": GATE}))


{"twilio": twilio, "telnyx": telnyx, "aws": aws, "aws-proxy": aws_proxy}[PART]()
