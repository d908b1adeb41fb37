"""What the Train page says of ranges and kinds of labels."""

#: Kind of labels -> what it means in training.
KIND_CAPTIONS = {
    "three-class": "Three classes: a softmax over absent, uncertain and present. The finished model has its 14 "
    "outputs; each is the logit of present against absent.",
    "self-trained": "Self-trained: the u of each uncertain image is what a model predicts of it, at full weight. "
    "Without a model the run trains twice: a first stage, and then anew on what its model predicts. "
    "Images that a named model does not predict are left out.",
    "soft": "Soft: the u of each uncertain image stands in the data, in a column such as edema_probability, of the "
    "label tables or imported beside them. Images that have none are left out.",
}
RANGE_CAPTION = "u is drawn evenly from its range, anew for each uncertain image and epoch; the seed decides how."
